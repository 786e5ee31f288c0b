/** Brings back what was said before: stored messages become the history of every turn. */
import { element, type Message, type StreamElement } from '../../core/element.ts';
import { serializeError } from '../../core/errors.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import type { Clock } from '../../core/time.ts';
import type { StateStore } from '../../state/state-store.ts';
import { withDeadline } from './deadline.ts';

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
 * first message passes. Nothing but messages waits for the store. When it fails, an `error` element says so
 * and the conversation goes on without a past.
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
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const { conversation, replay = false } = this.#options;
    let history: readonly Message[] | undefined;
    for await (const item of input) {
      const turn = context.turn(item.turn);
      if (conversation !== undefined) turn.conversation = conversation;
      if (item.kind === 'message' && item.meta?.['fromHistory'] !== true) {
        if (!history) {
          const facts = { turn: item.turn, at: item.at, source: this.name };
          try {
            history = await this.#load(turn.conversation, context.clock);
          } catch (error) {
            history = [];
            yield element('error', {
              ...facts,
              error: { ...serializeError(error), stage: this.name },
            });
          }
          context.emit('history-loaded', {
            conversation: turn.conversation,
            messages: history.length,
          });
          for (const message of replay ? history : [])
            yield element('message', { ...facts, message, meta: { fromHistory: true } });
        }
        turn.history = history;
      }
      yield item;
    }
  }

  #load(conversation: string, clock: Clock): Promise<readonly Message[]> {
    const { store, timeoutMs = 5000 } = this.#options;
    return withDeadline(store.load(conversation), { timeoutMs, clock }, 'load the conversation');
  }
}
