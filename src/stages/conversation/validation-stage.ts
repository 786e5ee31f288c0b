/** Checks what the user says and what the model writes before anything acts on it. */
import {
  element,
  messageText,
  type Message,
  type MessageElement,
  type StreamElement,
  type TextElement,
} from '../../core/element.ts';
import { AntiphonError, serializeError } from '../../core/errors.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import { checkKnown } from '../known-option.ts';
import { withText } from './model-history.ts';
import { ReplyGate } from './reply-gate.ts';
import { TextJudge, type Verdict } from './text-judge.ts';
import type { ValidationContext, ValidationFailure, Validator } from './validators.ts';

/** What a replacement may depend on. */
export interface RefusedText {
  /** The text as it was; of a reply that is cut while it streams, as much as there was by then. */
  readonly text: string;
  readonly direction: 'input' | 'output';
  readonly failures: readonly ValidationFailure[];
}

/** Settings of {@link ValidationStage}. */
export interface ValidationOptions {
  /** For user messages; the stage stands before the provider then. Default none. */
  readonly input?: readonly Validator[];
  /** For replies; the stage stands behind the provider then. Default none. */
  readonly output?: readonly Validator[];
  /** What becomes of a text that fails. Default `block`. */
  readonly onFailure?: 'block' | 'replace' | 'annotate';
  /** For `replace`. Default “[The message was removed.]” on input and “Sorry, I can’t say that.” on output. */
  readonly replacement?: string | ((refused: RefusedText) => string);
  /** Default `validation`. */
  readonly name?: string;
}

/** What every judged message carries as `meta.validation`. */
export interface ValidationNote {
  readonly passed: boolean;
  readonly failures: readonly ValidationFailure[];
}

/**
 * Judges whole user messages, and replies (`text` deltas and the assistant `message` that follows) while they
 * stream. History, transcripts, explicit `text` and everything else passes untouched and in order.
 *
 * | | input | output |
 * |---|---|---|
 * | `block` | an `error` element (`content-filter`) in the message's place, so nothing is answered | the reply is cut where it becomes unacceptable, an `error` element follows, the message ends there |
 * | `replace` | the message's text is the replacement | the acceptable part, then the replacement |
 * | `annotate` | nothing changes | nothing changes, nothing waits |
 *
 * A judged message carries `meta.validation` ({@link ValidationNote}); a failure emits the event
 * `validation-failed` `{turn, direction, failures}`; a cut or replaced reply has the `finishReason` `content-filter`
 * and no tool calls. Streaming validators hold back only what could still become part of a violation, a
 * word or so; with a whole-text validator (`requiredFields`, schemas, custom) `block` and `replace` hold back the
 * whole reply. However a reply was chopped into deltas, the verdict and the text let out are the same.
 *
 * A validator that throws, or is still busy with a reply when that is interrupted, has not approved; what the user said
 * is judged to the end. Of an interrupted reply nothing that was held back is said, and no `error` element or replacement
 * either: its message always passes, as far as it was approved. `ProviderStage` remembers what the
 * model wrote: hand it the message by `ProviderStage.amend` where the model must not see it again.
 *
 * @example
 * builder.chain(
 *   new ValidationStage({ name: 'hear', input: [maxLength({ characters: 2000 })] }),
 *   provider,
 *   new ValidationStage({ name: 'say', output: [bannedWords(['damn'])], onFailure: 'replace' }),
 *   tts,
 * );
 */
export class ValidationStage implements Stage<never, 'error'> {
  readonly name: string;
  readonly type = 'transform';
  readonly session = 'safe';
  readonly consumes: readonly never[] = [];
  readonly emits = ['error'] as const;
  readonly #input: TextJudge;
  readonly #output: TextJudge;
  readonly #mode: 'block' | 'replace' | 'annotate';
  readonly #replacement: ValidationOptions['replacement'];

  /** @throws `invalid-argument` when `onFailure` is none of the three. */
  constructor(options: ValidationOptions) {
    this.name = options.name ?? 'validation';
    this.#input = new TextJudge(options.input ?? []);
    this.#output = new TextJudge(options.output ?? []);
    this.#mode = options.onFailure ?? 'block';
    checkKnown(this.name, 'onFailure', this.#mode, ['block', 'replace', 'annotate']);
    this.#replacement = options.replacement;
  }

  /** Judges until the input ends; see the class. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const replies = new Map<number, ReplyGate>();
    const gates = !this.#output.idle && this.#mode !== 'annotate';
    for await (const item of input) {
      if (gates && item.kind === 'text' && item.delta) {
        const reply = replies.get(item.turn) ?? new ReplyGate(this.#output, item);
        replies.set(item.turn, reply);
        yield* this.#grow(reply, item, context);
      } else if (this.#judges(item)) {
        const reply = replies.get(item.turn);
        if (item.message.role === 'assistant') replies.delete(item.turn);
        yield* item.message.role === 'user'
          ? this.#hear(item, context)
          : this.#finish(item, reply, context);
      } else {
        if (item.kind === 'turn-end' || item.kind === 'end')
          yield* this.#rest(replies, item.kind === 'end' ? Infinity : item.turn, context);
        yield item;
      }
    }
    yield* this.#rest(replies, Infinity, context);
  }

  #judges(item: StreamElement): item is MessageElement {
    if (item.kind !== 'message' || item.meta?.['fromHistory'] === true) return false;
    const { role } = item.message;
    return role === 'user' ? !this.#input.idle : role === 'assistant' && !this.#output.idle;
  }

  async *#hear(item: MessageElement, context: StageContext): AsyncGenerator<StreamElement> {
    const text = messageText(item.message);
    const facts = factsOf('input', item, context);
    const failures = await this.#input.failures(text, facts);
    if (failures.length > 0) this.#tell(failures, facts, context);
    if (failures.length === 0 || this.#mode === 'annotate') yield annotated(item, failures);
    else if (this.#mode === 'block') yield this.#refusal(failures, facts, item);
    else {
      const message = withText(item.message, this.#replace({ text, direction: 'input', failures }));
      yield annotated({ ...item, message }, failures);
    }
  }

  *#grow(
    reply: ReplyGate,
    delta: TextElement,
    context: StageContext,
  ): Generator<StreamElement, void, undefined> {
    const { released, violation } = reply.push(delta);
    if (released) yield released;
    if (violation) yield* this.#cut(reply, delta, [violation.failure], context);
  }

  /** What follows the acceptable part of a reply that is not acceptable. */
  *#cut(
    reply: ReplyGate,
    item: StreamElement,
    failures: readonly ValidationFailure[],
    context: StageContext,
  ): Generator<StreamElement, void, undefined> {
    const facts = factsOf('output', item, context);
    this.#tell(failures, facts, context);
    if (isVoid(item, context)) return;
    if (this.#mode === 'block') yield this.#refusal(failures, facts, item);
    else {
      reply.ending = this.#ending(reply.released, reply.text, failures);
      yield reply.say(reply.ending);
    }
  }

  async *#finish(
    item: MessageElement,
    reply: ReplyGate | undefined,
    context: StageContext,
  ): AsyncGenerator<StreamElement> {
    const text = messageText(item.message);
    const facts = factsOf('output', item, context);
    if (this.#mode === 'annotate') {
      const failures = await this.#output.failures(text, facts);
      if (failures.length > 0) this.#tell(failures, facts, context);
      yield annotated(item, failures);
      return;
    }
    const spoken = reply && (yield* this.#settle(reply, item, context));
    const voided = isVoid(item, context);
    const known = spoken !== undefined && reply?.text === text;
    const verdict = known ? spoken : await this.#output.judge(text, facts);
    const { failures, acceptable } = verdict;
    if (failures.length > 0 && !known) {
      this.#tell(failures, facts, context);
      if (this.#mode === 'block' && !voided) yield this.#refusal(failures, facts, item);
    }
    if (failures.length === 0) yield annotated(item, failures);
    else {
      const kept = text.slice(0, acceptable);
      const ending = known ? reply.ending : voided ? '' : this.#ending(kept, text, failures);
      const message = cut(item.message, kept + ending);
      const { finishReason = 'interrupted' } = item.message;
      yield annotated(
        { ...item, message: voided ? { ...message, finishReason } : message },
        failures,
      );
    }
  }

  /** The verdict on a reply that is complete; lets out what it held back, as far as that is acceptable. */
  async *#settle(
    reply: ReplyGate,
    item: StreamElement,
    context: StageContext,
  ): AsyncGenerator<StreamElement, Verdict> {
    const { violation } = reply;
    if (violation) return { failures: [violation.failure], acceptable: violation.at };
    const verdict = await this.#output.judge(reply.text, factsOf('output', item, context));
    const held = isVoid(item, context) ? undefined : reply.release(verdict.acceptable);
    if (held) yield held;
    if (verdict.failures.length > 0) yield* this.#cut(reply, item, verdict.failures, context);
    return verdict;
  }

  /** Settles replies that got no message before their turn was over. */
  async *#rest(
    replies: Map<number, ReplyGate>,
    lastTurn: number,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    for (const [turn, reply] of replies) {
      if (turn > lastTurn) continue;
      replies.delete(turn);
      yield* this.#settle(reply, reply.say(''), context);
    }
  }

  #replace(refused: RefusedText): string {
    if (typeof this.#replacement === 'function') return this.#replacement(refused);
    const usual =
      refused.direction === 'input' ? '[The message was removed.]' : 'Sorry, I can’t say that.';
    return this.#replacement ?? usual;
  }

  /** The replacement, parted from what was let out. */
  #ending(kept: string, text: string, failures: readonly ValidationFailure[]): string {
    if (this.#mode === 'block') return '';
    const replacement = this.#replace({ text, direction: 'output', failures });
    return replacement !== '' && /\S$/u.test(kept) ? ` ${replacement}` : replacement;
  }

  #tell(
    failures: readonly ValidationFailure[],
    { turn, direction }: ValidationContext,
    context: StageContext,
  ): void {
    context.emit('validation-failed', { turn, direction, failures });
  }

  #refusal(
    failures: readonly ValidationFailure[],
    { direction, turn }: ValidationContext,
    { at }: StreamElement,
  ): StreamElement {
    const what = direction === 'input' ? 'What the user said' : 'The reply';
    const problems = failures.map(({ validator, problem }) => `${validator}: ${problem}`);
    const error = new AntiphonError(
      'content-filter',
      `${what} was blocked (${problems.join('; ')}).`,
      {
        hint: 'Use onFailure "replace" or "annotate" to let the conversation go on.',
        stage: this.name,
        details: { direction, failures },
      },
    );
    return element('error', { turn, at, source: this.name, error: serializeError(error) });
  }
}

function factsOf(
  direction: 'input' | 'output',
  { turn }: StreamElement,
  context: StageContext,
): ValidationContext {
  return {
    direction,
    turn,
    signal:
      direction === 'input'
        ? context.signal
        : AbortSignal.any([context.signal, context.turnSignal(turn)]),
  };
}

/** True for what an interrupt has made void: nobody hears more of it. */
function isVoid({ turn }: StreamElement, context: StageContext): boolean {
  return context.turnSignal(turn).aborted;
}

function annotated(item: MessageElement, failures: readonly ValidationFailure[]): MessageElement {
  const validation: ValidationNote = { passed: failures.length === 0, failures };
  return { ...item, meta: { ...item.meta, validation } };
}

/** The message as far as it may stand; what the model wants to do besides is not trusted either. */
function cut(message: Message, text: string): Message {
  const { toolCalls: _toolCalls, ...rest } = withText(message, text);
  return {
    ...rest,
    ...(message.generated === undefined ? {} : { generated: text }),
    finishReason: 'content-filter',
  };
}
