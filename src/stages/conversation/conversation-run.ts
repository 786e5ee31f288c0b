/** One conversation with a model, from the first element to the last. */
import {
  element,
  messageText,
  type Message,
  type MessageElement,
  type StreamElement,
  type ToolCall,
} from '../../core/element.ts';
import type { StageContext, TurnState } from '../../core/stage/stage.ts';
import { ToolRunner } from '../../providers/tool-runner.ts';
import { Doorbell, LookAhead } from './look-ahead.ts';
import { modelHistory } from './model-history.ts';
import { questionOf } from './model-question.ts';
import { OpenAnswers, type GivenAnswer, type Settled } from './open-answers.ts';
import type { ProviderStageOptions } from './provider-options.ts';
import { reply } from './reply.ts';
import { RunMemory, type OpenCall } from './run-memory.ts';

/** Elements that wait while a reply is streaming, so that they stay behind it. */
const behindReply: ReadonlySet<StreamElement['kind']> = new Set<StreamElement['kind']>([
  'message',
  'text',
  'media',
  'tool-result',
  'turn-end',
  'end',
]);

/** Elements held behind a reply before the stage stops reading. */
const maxHeld = 64;

const isFromHistory = (item: StreamElement): boolean => item.meta?.['fromHistory'] === true;

/** State of one run of a `ProviderStage`. */
export class ConversationRun {
  readonly #name: string;
  readonly #options: ProviderStageOptions;
  readonly #context: StageContext;
  readonly #memory: RunMemory;
  readonly #answers: OpenAnswers;
  readonly #runner: ToolRunner;
  readonly #bell = new Doorbell();
  readonly #held: StreamElement[] = [];
  /** Elements that belong to no reply and wait for nothing. */
  readonly #late: StreamElement[] = [];
  #reply: LookAhead<StreamElement> | undefined;
  /** What ended the turn of the reply, and passes behind it. */
  #closing: StreamElement | undefined;
  /** Calls of the reply that has just been remembered. */
  #open: readonly OpenCall[] = [];
  /** The user's last message that waits for an answer. */
  #pending: MessageElement | undefined;
  /** Calls were answered from outside: the model can go on from there. */
  #answered = false;
  #speaking = false;
  /** The newest turn and time seen. */
  #turn = 0;
  #at = 0;
  /** The turn in which the user's last words were to be answered. */
  #asked: number | undefined;
  /** The settings of the last turn somebody said something in; a turn that goes on has none of its own. */
  #settings: TurnState | undefined;

  constructor(name: string, options: ProviderStageOptions, context: StageContext) {
    this.#name = name;
    this.#options = options;
    this.#context = context;
    const { toolPolicy: policy = {}, maxHistoryMessages = 100 } = options;
    this.#memory = new RunMemory(maxHistoryMessages);
    this.#answers = new OpenAnswers(this.#memory, name, policy.maxResultLength);
    this.#runner = new ToolRunner({ policy, clock: context.clock });
  }

  /** Corrects a message by its id. */
  amend(message: Message): void {
    this.#memory.amend(message);
  }

  /** The calls that wait for an answer from outside, oldest first. */
  get pending(): ToolCall[] {
    return this.#memory.pending.map(({ outcome }) => outcome.call);
  }

  /** Answers one of them; false when it does not wait here. */
  answer(callId: string, answer: GivenAnswer): boolean {
    const settled = this.#answers.give(callId, answer, this.#at);
    if (settled === undefined) return false;
    if (settled !== 'early') this.#settled([settled]);
    return true;
  }

  /** Runs the conversation over `input`. */
  async *process(
    input: AsyncIterable<StreamElement>,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const source = new LookAhead(input, this.#bell.ring);
    let closed = false;
    try {
      for (;;) {
        yield* this.#late.splice(0);
        while (!this.#reply && this.#held.length > 0) {
          const item = this.#held.shift();
          if (item) yield* this.#pass(item);
        }
        if (closed && !this.#reply) {
          const { turn, at } = this.#pending ?? { turn: this.#turn, at: this.#at };
          this.#answer(turn, at);
          if (!this.#reply) return;
        }
        if (!closed && this.#held.length < maxHeld) source.ask();
        this.#currentReply()?.ask();
        await this.#bell.wait();
        if (source.ready) {
          const next = source.take();
          if (!next) closed = true;
          else if (this.#reply && behindReply.has(next.value.kind)) this.#held.push(next.value);
          else yield* this.#pass(next.value);
        }
        const reply = this.#currentReply();
        if (reply?.ready) {
          const part = reply.take();
          if (part) yield part.value;
          else this.#ended();
        }
      }
    } finally {
      this.#runner.close();
      this.#currentReply()?.close();
      source.close();
    }
  }

  /** As a call, because the compiler would think it known what an earlier look has shown. */
  #currentReply(): LookAhead<StreamElement> | undefined {
    return this.#reply;
  }

  *#pass(item: StreamElement): Generator<StreamElement, void, undefined> {
    if (this.#take(item)) yield item;
    yield* this.#late.splice(0);
  }

  /** What the element causes; true when it may pass on now. */
  #take(item: StreamElement): boolean {
    this.#turn = Math.max(this.#turn, item.turn);
    this.#at = item.at;
    switch (item.kind) {
      case 'message':
        if (!isFromHistory(item)) this.#hear(item);
        else if (item.message.role !== 'system') this.#memory.put(item.message);
        return true;
      case 'tool-result': {
        const settled = this.#answers.give(item.callId, item, item.at);
        if (settled === undefined || settled === 'early') return true;
        // The element itself tells of the result.
        this.#late.push(...settled.elements.filter(({ kind }) => kind === 'message'));
        this.#answered ||= settled.complete;
        return true;
      }
      case 'speech-start':
        this.#speaking = true;
        return true;
      case 'speech-end':
        if (!item.misfire) return true;
        this.#speaking = false;
        if (this.#answered) this.#resume();
        return true;
      case 'turn-end':
      case 'end': {
        if (item === this.#closing) return true;
        this.#speaking = false;
        const { turn, at } = item.kind === 'end' ? (this.#pending ?? item) : item;
        this.#answer(turn, at, item.kind === 'turn-end' && this.#isOwed());
        if (!this.#reply) return true;
        this.#closing = item;
        this.#held.unshift(item);
        return false;
      }
      default:
        return true;
    }
  }

  #hear(item: MessageElement): void {
    const { message } = item;
    if (message.role === 'system') return;
    if (message.role === 'user') this.#pending = item;
    if (message.role === 'tool') {
      const { toolCallId = '' } = message;
      const given = { result: messageText(message), isError: false };
      const settled = this.#answers.give(toolCallId, given, item.at);
      this.#answered ||= typeof settled !== 'object' || settled.complete;
      if (settled) return;
    }
    this.#memory.put(message);
  }

  /** Tells of answers that were given, and goes on where nothing else is waited for. */
  #settled(all: readonly Settled[]): void {
    this.#late.push(...all.flatMap(({ elements }) => elements));
    if (all.some(({ complete }) => complete)) {
      this.#answered = true;
      // Whoever speaks will be answered with it; if it was nothing, it is time then.
      if (!this.#speaking) this.#resume();
    }
    this.#bell.ring();
  }

  #resume(): void {
    if (this.#options.resume) {
      this.#options.resume();
      return;
    }
    const turn = this.#turn;
    // Whoever interrupted it has the floor: it goes on with what they say.
    if (this.#context.turnSignal(turn).aborted) return;
    this.#held.push(element('turn-end', { turn, at: this.#at, source: this.#name }));
    this.#bell.ring();
  }

  /** Whether the last answer was interrupted before a word of it was heard, and nothing was said since: a cough, perhaps. */
  #isOwed(): boolean {
    if (this.#asked === undefined || !this.#context.turnSignal(this.#asked).aborted) return false;
    return modelHistory(this.#memory.after([]), Infinity).at(-1)?.role === 'user';
  }

  #answer(turn: number, at: number, isOwed: boolean = false): void {
    if (!this.#pending && !this.#answered && !isOwed) return;
    if (this.#pending) this.#settings = this.#context.turn(turn);
    if (this.#pending || isOwed) this.#asked = turn;
    this.#pending = undefined;
    // Interrupted before it began: what the user said is remembered and answered with what follows.
    if (this.#context.turnSignal(turn).aborted) return;
    this.#answered = false;
    this.#reply = new LookAhead(this.#stream(turn, at), this.#bell.ring);
  }

  #ended(): void {
    this.#reply = undefined;
    this.#settled(this.#answers.ended(this.#open, this.#at));
    this.#open = [];
  }

  #stream(turn: number, at: number): AsyncIterable<StreamElement> {
    const context = this.#context;
    const settings = this.#settings ?? context.turn(turn);
    const { toolChoice, filler } = this.#options;
    return reply({
      ...questionOf(this.#options, context, this.#memory, turn, settings),
      runner: this.#runner,
      turn,
      at,
      context,
      clock: context.clock,
      source: this.#name,
      ...(toolChoice === undefined ? {} : { toolChoice }),
      ...(filler === undefined ? {} : { filler }),
      emit: (event) => {
        this.#answers.hear(event);
        const { type, ...detail } = event;
        context.emit(type, detail);
      },
      onLate: (outcome) => {
        this.#late.push(this.#answers.finished(outcome, turn, this.#at));
        this.#bell.ring();
      },
      onMessage: (message, rounds, open) => {
        this.#open = open.map((outcome) => ({ outcome, turn }));
        this.#memory.put(message, rounds, this.#open);
      },
    });
  }
}
