/** The model in the conversation: answers each finished turn, streaming, until it is interrupted. */
import type { Message, MessageElement, StreamElement } from '../../core/element.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import type { Provider } from '../../providers/provider.ts';
import type { Tool } from '../../providers/tools.ts';
import { contextFitOf, withContextFit } from './context-fit.ts';
import { Doorbell, LookAhead } from './look-ahead.ts';
import { modelHistory } from './model-history.ts';
import { reply } from './reply.ts';
import { RunMemory } from './run-memory.ts';
import { turnMediaOf, withMedia } from './turn-media.ts';

/** What {@link ProviderStage} needs. */
export interface ProviderStageOptions {
  /** The model; a function is asked at each turn, so that it can be exchanged in a running conversation. */
  readonly provider: Provider | (() => Provider);
  /** Tools besides those the provider brings along; one of the same name wins. */
  readonly tools?: readonly Tool[] | (() => readonly Tool[]);
  /** How often the model may be asked in one turn. Default 8. */
  readonly maxToolRounds?: number;
  /** Messages of the past the model is shown, and this run keeps. Default 100. */
  readonly maxHistoryMessages?: number;
  readonly temperature?: number;
  readonly maxOutputTokens?: number;
}

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

/** Where a conversation stands. */
interface Now {
  /** The user's last message that waits for an answer. */
  pending?: MessageElement | undefined;
  /** The reply that is streaming. */
  reply?: LookAhead<StreamElement> | undefined;
}

const isFromHistory = (item: StreamElement): boolean => item.meta?.['fromHistory'] === true;

/**
 * Collects the user's messages and answers them when their `turn-end` comes, or, where none comes, when the
 * input ends (so it serves a single exchange as well as a live session). Messages pass on at once; speech
 * and transcripts of the next turn overtake a reply that is streaming, content waits behind it.
 *
 * Every answered turn ends with exactly one assistant `message` and then its `turn-end`, also when it was interrupted
 * (`turnSignal`) or failed (then an `error` element precedes it). What the model is shown of the past
 * is `TurnState.history` plus this run: all the user said, answered or not, and of the replies what was
 * heard once {@link ProviderStage.amend} has told. Emits the events `provider-request`, `first-token`,
 * `reasoning` and `provider-finish`.
 */
export class ProviderStage implements Stage<
  'message',
  'message' | 'text' | 'tool-call' | 'tool-result' | 'error'
> {
  readonly name = 'provider';
  readonly type = 'generate';
  readonly session = 'safe';
  readonly consumes = ['message'] as const;
  readonly emits = ['message', 'text', 'tool-call', 'tool-result', 'error'] as const;
  readonly #options: ProviderStageOptions;
  readonly #memories = new Set<RunMemory>();

  constructor(options: ProviderStageOptions) {
    this.#options = options;
  }

  /**
   * Corrects a message of a running conversation by its id: call it with the assistant's message as the
   * speaker completed it (`heard`), so that the model remembers what was heard, not what it wrote.
   */
  amend(message: Message): void {
    for (const memory of this.#memories) memory.amend(message);
  }

  /** Runs one conversation; see the class. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const memory = new RunMemory(this.#options.maxHistoryMessages ?? 100);
    const bell = new Doorbell();
    const source = new LookAhead(input, bell.ring);
    const held: StreamElement[] = [];
    const now: Now = {};
    let closed = false;

    const answer = (turn: number, at: number): void => {
      if (!now.pending) return;
      now.pending = undefined;
      // Interrupted before it began: what the user said is remembered and answered with what follows.
      if (context.turnSignal(turn).aborted) return;
      now.reply = new LookAhead(this.#reply(memory, turn, at, context), bell.ring);
    };
    /** What the element causes; true when it may pass on now. */
    const take = (item: StreamElement): boolean => {
      if (item.kind === 'message' && item.message.role !== 'system') {
        memory.put(item.message);
        if (item.message.role === 'user' && !isFromHistory(item)) now.pending = item;
      } else if (item.kind === 'turn-end' || item.kind === 'end') {
        const { turn, at } = item.kind === 'end' ? (now.pending ?? item) : item;
        answer(turn, at);
        // What ends the turn passes behind the reply.
        if (now.reply) held.unshift(item);
        return !now.reply;
      }
      return true;
    };

    this.#memories.add(memory);
    try {
      for (;;) {
        while (!now.reply && held.length > 0) {
          const item = held.shift();
          if (item && take(item)) yield item;
        }
        if (closed && !now.reply) {
          if (now.pending) answer(now.pending.turn, now.pending.at);
          if (!now.reply) return;
        }
        if (!closed && held.length < maxHeld) source.ask();
        now.reply?.ask();
        await bell.wait();
        if (source.ready) {
          const next = source.take();
          if (!next) closed = true;
          else if (now.reply && behindReply.has(next.value.kind)) held.push(next.value);
          else if (take(next.value)) yield next.value;
        }
        if (now.reply?.ready) {
          const part: { readonly value: StreamElement } | undefined = now.reply.take();
          if (part) yield part.value;
          else now.reply = undefined;
        }
      }
    } finally {
      this.#memories.delete(memory);
      now.reply?.close();
      source.close();
    }
  }

  #reply(
    memory: RunMemory,
    turn: number,
    at: number,
    context: StageContext,
  ): AsyncIterable<StreamElement> {
    const {
      maxToolRounds = 8,
      maxHistoryMessages = 100,
      temperature,
      maxOutputTokens,
    } = this.#options;
    const provider =
      typeof this.#options.provider === 'function'
        ? this.#options.provider()
        : this.#options.provider;
    const state = context.turn(turn);
    const tools = this.#tools(provider, state.allowedTools);
    const messages = modelHistory(memory.after(state.history), maxHistoryMessages);
    context.emit('provider-request', {
      turn,
      provider: provider.id,
      messages: messages.length,
      tools: tools.map(({ name }) => name),
    });
    const fit = contextFitOf(state);
    const media = turnMediaOf(state);
    const seeing = media ? withMedia(provider, media.store, media.told) : provider;
    return reply({
      provider: fit ? withContextFit(seeing, fit) : seeing,
      tools,
      turn,
      at,
      context,
      source: this.name,
      conversation: state.conversation,
      maxRounds: maxToolRounds,
      request: {
        system: state.systemPrompt,
        messages,
        ...(temperature === undefined ? {} : { temperature }),
        ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
      },
      onMessage: (message, rounds) => memory.put(message, rounds),
    });
  }

  #tools(provider: Provider, allowed: readonly string[] | undefined): readonly Tool[] {
    const own =
      typeof this.#options.tools === 'function'
        ? this.#options.tools()
        : (this.#options.tools ?? []);
    const byName = new Map([...(provider.tools ?? []), ...own].map((tool) => [tool.name, tool]));
    return [...byName.values()].filter(
      ({ name }) => allowed === undefined || allowed.includes(name),
    );
  }
}
