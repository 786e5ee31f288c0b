/** Gives the model the media that messages only refer to. */
import type { Message, MessagePart } from '../../core/element.ts';
import { AntiphonError, serializeError, type ErrorData } from '../../core/errors.ts';
import type { TurnState } from '../../core/stage/stage.ts';
import type { Provider } from '../../providers/provider.ts';
import { parseMediaReference } from '../../state/media-reference.ts';
import type { MediaStore } from '../../state/media-store.ts';

/** Where the media of a turn is. */
export interface TurnMedia {
  readonly store: MediaStore;
  /** References whose loss was told already; once per run is enough. */
  readonly told: Set<string>;
}

const media = new WeakMap<TurnState, TurnMedia>();

/** Has references resolved from `where` when the model is called in this turn. */
export function setTurnMedia(turn: TurnState, where: TurnMedia): void {
  media.set(turn, where);
}

/** What was set by {@link setTurnMedia}, for a stage of your own that calls a model. */
export function turnMediaOf(turn: TurnState): TurnMedia | undefined {
  return media.get(turn);
}

/** `message` with the bytes in place of every reference; one whose content is not in `store` stays as it is. */
export async function resolveMedia(message: Message, store: MediaStore): Promise<Message> {
  return withParts(message, async (part, reference) => {
    const data = await store.get(reference);
    return data ? { ...part, data } : part;
  });
}

/**
 * The provider, given bytes where messages have references into `store`. What is not there any more, or can't be
 * read, is shown to the model as a text that says so; an `error` part tells of it, once, and the reply goes on.
 * A `ProviderStage` behind a `MediaExternalizerStage` does this by itself.
 *
 * @param told references whose loss was told already
 */
export function withMedia(
  provider: Provider,
  store: MediaStore,
  told: Set<string> = new Set(),
): Provider {
  return {
    id: provider.id,
    ...(provider.tools === undefined ? {} : { tools: provider.tools }),
    async *stream(request, options) {
      const errors: ErrorData[] = [];
      const lose = (part: MediaPart, reference: string, error: unknown): MessagePart => {
        if (!told.has(reference)) errors.push(serializeError(error));
        told.add(reference);
        return { type: 'text', text: `[${part.type}: no longer available]` };
      };
      const resolve = async (part: MediaPart, reference: string): Promise<MessagePart> => {
        try {
          const data = await store.get(reference);
          return data ? { ...part, data } : lose(part, reference, missing(reference));
        } catch (error) {
          return lose(part, reference, error);
        }
      };
      const messages = await Promise.all(
        request.messages.map((message) => withParts(message, resolve)),
      );
      for (const error of errors) yield { type: 'error', error };
      yield* provider.stream({ ...request, messages }, options);
    },
  };
}

type MediaPart = Extract<MessagePart, { readonly data: unknown }>;

/** The message with what `resolve` makes of its references; the same object when it has none. */
async function withParts(
  message: Message,
  resolve: (part: MediaPart, reference: string) => Promise<MessagePart>,
): Promise<Message> {
  const refers = (part: MessagePart): part is MediaPart & { readonly data: string } =>
    'data' in part && typeof part.data === 'string' && parseMediaReference(part.data) !== undefined;
  if (!message.parts.some(refers)) return message;
  const parts = message.parts.map(async (part) => (refers(part) ? resolve(part, part.data) : part));
  return { ...message, parts: await Promise.all(parts) };
}

function missing(reference: string): AntiphonError {
  return new AntiphonError('storage', 'Media of this conversation is not stored any more.', {
    hint: 'It was deleted or swept; give the store `references` so that it keeps what conversations need.',
    details: { reference },
  });
}
