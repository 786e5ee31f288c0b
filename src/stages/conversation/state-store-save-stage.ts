/** Keeps each finished turn: messages are stored as they pass. */
import {
  element,
  messageText,
  type MessageElement,
  type StreamElement,
} from '../../core/element.ts';
import type { ErrorData } from '../../core/errors.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import type { StateStore } from '../../state/state-store.ts';
import { conversationOf } from './conversation-of.ts';
import { Doorbell, LookAhead } from './look-ahead.ts';
import { MessageLog } from './message-log.ts';

/** What {@link StateStoreSaveStage} needs. */
export interface StateStoreSaveOptions {
  readonly store: StateStore;
  /** Id of the conversation; the turn's own (`TurnState.conversation`) unless given. */
  readonly conversation?: string;
  /** Patience with a store that does not answer, in ms. Default 5000. */
  readonly timeoutMs?: number;
}

/** History is stored already; a reply cut before its first word says nothing, unless it waits for answers. */
function worthSaving({ message, meta }: MessageElement): boolean {
  if (meta?.['fromHistory'] === true) return false;
  if (message.toolCalls !== undefined) return true;
  return message.role !== 'assistant' || (message.generated ?? messageText(message)) !== '';
}

/**
 * Appends every message that passes, in order: the user's at once, the assistant's when it arrives (behind
 * a speaker: when it was heard); so what a crash leaves is whole up to the last message. It only ever appends, or
 * replaces the message of the same id, so that several tabs may save to one conversation. What is marked
 * `meta.fromHistory` is stored already and not saved again.
 *
 * Elements never wait for the store; the end of the stream does. A failing store gives one `error` element,
 * and the messages stay in memory and go along with the next append: up to 1 000, then the oldest is given up
 * (event `message-given-up` `{conversation, id}`), as is at once a message that no store can copy (one with a function, or a
 * framework's proxy, inside). In a worker give `conversation`: turn states do not cross.
 *
 * @throws from `process`: `invalid-argument` when nothing says which conversation it is
 */
export class StateStoreSaveStage implements Stage<never, 'error'> {
  readonly name = 'state-store-save';
  readonly type = 'sink';
  readonly session = 'safe';
  readonly consumes: readonly never[] = [];
  readonly emits = ['error'] as const;
  readonly #options: StateStoreSaveOptions;

  constructor(options: StateStoreSaveOptions) {
    this.#options = options;
  }

  /** Passes everything on; see the class. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const { store, conversation, timeoutMs = 5000 } = this.#options;
    const bell = new Doorbell();
    const troubles: ErrorData[] = [];
    const patience = { timeoutMs, clock: context.clock };
    const log = new MessageLog(store, patience, {
      onTrouble: (error) => {
        troubles.push({ ...error, stage: this.name });
        bell.ring();
      },
      onGivenUp: (conversation, { id }) => context.emit('message-given-up', { conversation, id }),
    });
    const source = new LookAhead(input, bell.ring);
    let at = 0;
    let turn = 0;
    const reports = (): StreamElement[] =>
      troubles.splice(0).map((error) => element('error', { error, turn, at, source: this.name }));
    try {
      for (;;) {
        source.ask();
        await bell.wait();
        yield* reports();
        if (!source.ready) continue;
        const next = source.take();
        if (!next) break;
        const item = next.value;
        ({ at, turn } = item);
        if (item.kind === 'message' && worthSaving(item))
          log.add(conversation ?? conversationOf(context.turn(item.turn), this.name), item.message);
        if (item.kind === 'end') {
          await log.flush();
          yield* reports();
        }
        yield item;
      }
    } finally {
      await log.flush();
      source.close();
    }
    yield* reports();
  }
}
