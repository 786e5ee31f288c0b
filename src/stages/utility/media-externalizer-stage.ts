/** Takes large media out of the stream into a store, and leaves references. */
import { abortable } from '../../core/abortable.ts';
import { element, type MessagePart, type StreamElement } from '../../core/element.ts';
import { serializeError, toAntiphonError, type ErrorData } from '../../core/errors.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import type { MediaStore } from '../../state/media-store.ts';
import { withDeadline } from '../conversation/deadline.ts';
import { setTurnMedia, type TurnMedia } from '../conversation/turn-media.ts';
import { bytesOf, isInline, type InlineMedia } from './inline-media.ts';
import { putAside } from '../conversation/put-aside.ts';

/** Settings of {@link MediaExternalizerStage}. */
export interface MediaExternalizerOptions {
  /** Where media goes. Disposing of what is in it is the caller's: see `withMediaRetention`. */
  readonly store: MediaStore;
  /** What is not larger stays where it is. Default 65 536; 0 takes out everything. */
  readonly maxInlineBytes?: number;
  /** Patience with a store that does not answer, in ms. Default 5000. */
  readonly timeoutMs?: number;
  /** `media-externalizer` unless given. */
  readonly name?: string;
}

/**
 * Consumes `message` and `media` and puts a reference (`mediaReference`) in the place of bytes, and of `data:`
 * and `blob:` URLs, that are larger than `maxInlineBytes`; `blob:` URLs go out whatever their size. What is a
 * reference already, or any other URL, stays; so messages may pass twice. A message is copied, never changed.
 *
 * Place it in front of `ProviderStage`: what is remembered and saved is small, and each call of the model gets
 * the bytes again, those of stored history too. Elsewhere `resolveMedia` and `withMedia` bring bytes back.
 *
 * While something is stored, microphone audio, transcripts, `speech-start`, `speech-end` and interrupts
 * overtake; everything else keeps its order, a `turn-end` behind its message. At most 64 elements wait, then
 * the input does. An interrupt of its turn lets an element go at once, with the media inside.
 *
 * What can't be stored stays inside the element, behind an `error` element (`storage-full`, `storage-blocked`,
 * `storage`, or `stage` for a URL that can't be read), one until it goes well again or fails otherwise.
 * Session-safe. Event `media-stored` `{turn, references, bytes}`.
 *
 * @example
 * const media = indexedDBMediaStore({ references: () => mediaReferences(conversations) });
 * builder.chain(load, new MediaExternalizerStage({ store: media }), prompt, provider, save);
 */
export class MediaExternalizerStage implements Stage<
  'message' | 'media',
  'message' | 'media' | 'error'
> {
  readonly name: string;
  readonly type = 'transform';
  readonly session = 'safe';
  readonly consumes = ['message', 'media'] as const;
  readonly emits = ['message', 'media', 'error'] as const;
  readonly #options: MediaExternalizerOptions;

  constructor(options: MediaExternalizerOptions) {
    this.#options = options;
    this.name = options.name ?? 'media-externalizer';
  }

  /** Passes everything on; see the class. */
  process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const { store, maxInlineBytes = 65_536 } = this.#options;
    const media: TurnMedia = { store, told: new Set() };
    const trouble: Trouble = {};
    return putAside(input, (item) => {
      if (item.kind === 'message') setTurnMedia(context.turn(item.turn), media);
      const large = mediaIn(item).filter((part) => isInline(part, maxInlineBytes));
      return large.length > 0 ? this.#externalize(item, large, context, trouble) : undefined;
    });
  }

  /** The element with references, behind an `error` element when some of it could not be stored. */
  async #externalize(
    item: StreamElement,
    inline: readonly InlineMedia[],
    context: StageContext,
    trouble: Trouble,
  ): Promise<StreamElement[]> {
    const { turn, at } = item;
    const interrupted = context.turnSignal(turn);
    // What comes after its turn was voided is remembered all the same.
    const signal = interrupted.aborted
      ? context.signal
      : AbortSignal.any([context.signal, interrupted]);
    let bytes = 0;
    const stored = await Promise.allSettled(
      inline.map(async (part) => {
        signal.throwIfAborted();
        const data = await abortable(bytesOf(part, signal), signal);
        const reference = await this.#put(data, part.mediaType, { signal, clock: context.clock });
        bytes += data.byteLength;
        return [part, reference] as const;
      }),
    );
    const references = new Map<InlineMedia, string>();
    let failure: ErrorData | undefined;
    for (const outcome of stored)
      if (outcome.status === 'fulfilled') references.set(...outcome.value);
      else if (!signal.aborted) failure ??= this.#failure(outcome.reason);
    if (references.size > 0)
      context.emit('media-stored', { turn, references: [...references.values()], bytes });
    const changed = withReferences(item, references);
    if (!isNews(trouble, failure)) return [changed];
    return [element('error', { turn, at, source: this.name, error: failure }), changed];
  }

  #put(
    data: Uint8Array<ArrayBuffer>,
    mediaType: string,
    { signal, clock }: Pick<StageContext, 'signal' | 'clock'>,
  ): Promise<string> {
    const { store, timeoutMs = 5000 } = this.#options;
    const putting = store.put(data, mediaType, { signal });
    return abortable(withDeadline(putting, { timeoutMs, clock }, 'store the media'), signal);
  }

  #failure(reason: unknown): ErrorData {
    const error = serializeError(toAntiphonError(reason, 'stage'));
    const hint = error.hint || 'The media stays inside its message.';
    return { ...error, hint, stage: this.name };
  }
}

/** What went wrong last; nothing when it went well. */
interface Trouble {
  last?: string | undefined;
}

function isNews(trouble: Trouble, failure: ErrorData | undefined): failure is ErrorData {
  const before = trouble.last;
  trouble.last = failure && `${failure.code} ${failure.message}`;
  return failure !== undefined && trouble.last !== before;
}

/** Everything in an element that may hold media: its parts, or itself. */
function mediaIn(item: StreamElement): InlineMedia[] {
  if (item.kind === 'media') return [item];
  if (item.kind !== 'message') return [];
  return item.message.parts.flatMap((part) => ('data' in part ? [part] : []));
}

function withReferences(
  item: StreamElement,
  references: ReadonlyMap<InlineMedia, string>,
): StreamElement {
  if (item.kind === 'media') return { ...item, data: references.get(item) ?? item.data };
  if (item.kind !== 'message') return item;
  const parts = item.message.parts.map((part) => {
    const data = 'data' in part ? references.get(part) : undefined;
    return data === undefined ? part : ({ ...part, data } as MessagePart);
  });
  return { ...item, message: { ...item.message, parts } };
}
