/** Brings back what was said before: stored messages become the history of every turn. */
import { element, type Message, type StreamElement } from '../../core/element.ts';
import { serializeError } from '../../core/errors.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import type { StateStore } from '../../state/state-store.ts';
import { conversationOf } from './conversation-of.ts';
import { withDeadline } from './deadline.ts';
import { putAside } from './put-aside.ts';

/** What {@link StateStoreLoadStage} needs. */
export interface StateStoreLoadOptions {
  readonly store: StateStore;
  /** Id of the conversation; the turn's own (`TurnState.conversation`) unless given. */
  readonly conversation?: string;
  /** Also emit the stored messages, marked `meta.fromHistory`, before the first message. Default false. */
  readonly replay?: boolean;
  /** Patience with a store that does not answer, in ms. Default 5000. */
  readonly timeoutMs?: number;
}

/**
 * Loads the conversation once per run and puts it into `TurnState.history` of each turn before that turn's
 * first message passes. The first message waits for the store, and so does what belongs behind it; microphone
 * audio, transcripts, `speech-start`, `speech-end` and interrupts do not. When the store fails, an `error`
 * element says so and the conversation goes on without a past. Event `history-loaded` `{conversation, messages}`.
 *
 * What it replays is marked `meta.fromHistory`: no voice speaks it, no model answers it, no store saves it again.
 *
 * @throws from `process`: `invalid-argument` when nothing says which conversation it is
 */
export class StateStoreLoadStage implements Stage<never, 'message' | 'error'> {
  readonly name = 'state-store-load';
  readonly type = 'transform';
  readonly session = 'safe';
  readonly consumes: readonly never[] = [];
  readonly emits = ['message', 'error'] as const;
  readonly #options: StateStoreLoadOptions;

  constructor(options: StateStoreLoadOptions) {
    this.#options = options;
  }

  /** Passes everything on; see the class. */
  process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    let loading: Promise<StreamElement[]> | undefined;
    let history: readonly Message[] | undefined;
    const load = async (item: StreamElement): Promise<StreamElement[]> => {
      const loaded = await this.#load(item, context);
      ({ history } = loaded);
      return loaded.outputs;
    };
    return putAside(input, (item) => {
      const turn = context.turn(item.turn);
      const { conversation } = this.#options;
      if (conversation !== undefined) turn.conversation = conversation;
      if (item.kind !== 'message' || item.meta?.['fromHistory'] === true) return undefined;
      if (history) {
        turn.history = history;
        return undefined;
      }
      conversationOf(turn, this.name);
      const first = loading === undefined;
      loading ??= load(item);
      return loading.then((outputs) => {
        turn.history = history ?? [];
        return first ? [...outputs, item] : [item];
      });
    });
  }

  /** The past, and what is to be emitted before the message that waits for it. */
  async #load(
    { turn, at }: StreamElement,
    context: StageContext,
  ): Promise<{ readonly history: readonly Message[]; readonly outputs: StreamElement[] }> {
    const { store, replay = false, timeoutMs = 5000 } = this.#options;
    const { conversation } = context.turn(turn);
    const facts = { turn, at, source: this.name };
    try {
      const history = await withDeadline(
        store.load(conversation),
        { timeoutMs, clock: context.clock },
        'load the conversation',
      );
      context.emit('history-loaded', { conversation, messages: history.length });
      const replayed = replay ? history : [];
      const outputs = replayed.map((message) =>
        element('message', { ...facts, message, meta: { fromHistory: true } }),
      );
      return { history, outputs };
    } catch (thrown) {
      context.emit('history-loaded', { conversation, messages: 0 });
      const error = { ...serializeError(thrown), stage: this.name };
      return { history: [], outputs: [element('error', { ...facts, error })] };
    }
  }
}
