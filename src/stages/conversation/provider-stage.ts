/** The model in the conversation: answers each finished turn, streaming, until it is interrupted. */
import type { Message, StreamElement, ToolCall } from '../../core/element.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import { ConversationRun } from './conversation-run.ts';
import { notPending } from './open-answers.ts';
import type { ProviderStageOptions } from './provider-options.ts';

export type { ProviderStageOptions } from './provider-options.ts';

/**
 * Collects the user's messages and answers them when their `turn-end` comes, or, where none comes, when the
 * input ends (so it serves a single exchange as well as a live session). Messages pass on at once; speech
 * and transcripts of the next turn overtake a reply that is streaming, content waits behind it.
 *
 * Every answered turn ends with exactly one assistant `message` and then its `turn-end`, also when it was interrupted
 * (`turnSignal`) or failed (then an `error` element precedes it). What the model is shown of the past
 * is `TurnState.history` plus this run: all the user said, answered or not, and of the replies what was
 * heard once {@link ProviderStage.amend} has told. A turn that ends without a word (a cough that interrupted) is answered with
 * what was to be said before, if nothing of that was heard. Emits the events `provider-request`, `first-token`,
 * `reasoning`, `provider-finish`, and those of tools (`ToolEvent`, and `tool-filler` `{turn, text}`).
 *
 * Tools run between the rounds of a reply, under the `toolPolicy`. Every `tool-call` element is followed by exactly one
 * `tool-result`, and so it is in what the model is shown, however the turn ends. Results go to the model framed
 * as data and cut to size; the element carries them as they are. An interrupt stops running tools, except those
 * that `finish`: their result comes when it is there, and is shown to the model from the next turn on. A turn with calls
 * that are answered later ends with a message that lists them (`toolCalls`, `finishReason` `tool-calls`).
 * A `filler` is a `text` element with `delta: false` and `meta.filler`: it is spoken, but neither the message nor what
 * was heard of it contains its words.
 */
export class ProviderStage implements Stage<
  'message' | 'tool-result',
  'message' | 'text' | 'tool-call' | 'tool-result' | 'turn-end' | 'error'
> {
  readonly name = 'provider';
  readonly type = 'generate';
  readonly session = 'safe';
  readonly consumes = ['message', 'tool-result'] as const;
  readonly emits = ['message', 'text', 'tool-call', 'tool-result', 'turn-end', 'error'] as const;
  readonly #options: ProviderStageOptions;
  readonly #runs = new Set<ConversationRun>();

  constructor(options: ProviderStageOptions) {
    this.#options = options;
  }

  /**
   * Corrects a message of a running conversation by its id: call it with the assistant's message as the
   * speaker completed it (`heard`), so that the model remembers what was heard, not what it wrote.
   */
  amend(message: Message): void {
    for (const run of this.#runs) run.amend(message);
  }

  /** The calls that wait for {@link ProviderStage.answerTool}, oldest first. */
  get pendingTools(): readonly ToolCall[] {
    return [...this.#runs].flatMap((run) => run.pending);
  }

  /**
   * Answers a call whose tool gave `answerLater` (or has no `execute`), once. When no call of its round waits any more,
   * the model goes on: in the newest turn, or as `resume` of the options has it; when the person is speaking or has
   * interrupted, with the answer to what they say. A `tool-result` element in the input, with a `turn-end` behind it, does the same.
   *
   * @param result anything JSON can hold; not trusted, like every result
   * @throws AntiphonError `tool` when no such call waits
   */
  answerTool(callId: string, result: unknown, options: { readonly isError?: boolean } = {}): void {
    const answer = { result, isError: options.isError ?? false };
    for (const run of this.#runs) if (run.answer(callId, answer)) return;
    throw notPending(callId);
  }

  /** Runs one conversation; see the class. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const run = new ConversationRun(this.name, this.#options, context);
    this.#runs.add(run);
    try {
      yield* run.process(input);
    } finally {
      this.#runs.delete(run);
    }
  }
}
