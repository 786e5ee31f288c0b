/** What one run of a conversation remembers: its messages, the tool rounds behind them, and later corrections. */
import { messageText, textMessage, type Message } from '../../core/element.ts';
import type { ToolOutcome } from '../../providers/tool-loop.ts';
import { resultMessage } from '../../providers/tool-result.ts';
import { withText } from './model-history.ts';

/** A call whose result in the history is not final yet. */
export interface OpenCall {
  readonly outcome: ToolOutcome;
  /** The turn it was made in. */
  readonly turn: number;
}

interface Entry {
  /** Undefined for an exchange that stands for itself. */
  message: Message | undefined;
  /** Exchanges with tools before the reply; their texts are a prefix of the reply's. */
  rounds: readonly Message[];
  readonly open: Map<string, OpenCall>;
}

/** The entry as separate messages, each with its share of what was heard (or generated). */
function expand({ message, rounds }: Entry): Message[] {
  if (!message) return [...rounds];
  if (rounds.length === 0) return [message];
  let rest = message.heard ?? message.generated ?? messageText(message);
  const shares = rounds.map((round) => {
    if (round.role !== 'assistant') return round;
    const length = messageText(round).length;
    const share = withText(round, rest.slice(0, length));
    rest = rest.slice(length);
    return share;
  });
  // The calls that wait for an answer are in the rounds already.
  const { heard: _heard, toolCalls: _calls, ...answer } = withText(message, rest);
  return [...shares, answer];
}

/** The rounds without one call and its result. */
function without(rounds: readonly Message[], callId: string): Message[] {
  return rounds
    .filter(({ toolCallId }) => toolCallId !== callId)
    .map((message) => {
      const { toolCalls, ...rest } = message;
      const others = toolCalls?.filter(({ id }) => id !== callId) ?? [];
      if (others.length === toolCalls?.length) return message;
      return others.length === 0 ? rest : { ...rest, toolCalls: others };
    });
}

/** Messages of a run in order, bounded, correctable by id. */
export class RunMemory {
  readonly #limit: number;
  readonly #entries: Entry[] = [];

  /** Keeps the last `limit` messages. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a message, or replaces the one of the same id in place. `open`: calls in `rounds` without a final result. */
  put(message: Message, rounds: readonly Message[] = [], open: readonly OpenCall[] = []): void {
    if (this.amend(message)) return;
    const byId = new Map(open.map((call) => [call.outcome.call.id, call]));
    this.#add({ message, rounds, open: byId });
  }

  /** Replaces the message of the same id; false when there is none. */
  amend(message: Message): boolean {
    const entry = this.#entries.find((other) => other.message?.id === message.id);
    if (entry) entry.message = message;
    return entry !== undefined;
  }

  /** The calls that wait for an answer from outside, oldest first. */
  get pending(): OpenCall[] {
    return this.#entries
      .flatMap(({ open }) => [...open.values()])
      .filter(({ outcome }) => outcome.status === 'pending');
  }

  /**
   * Gives an open call its final result, once; undefined when the call is not open. The result takes the place that was
   * kept for it. Only where the conversation has gone on since a call that was to be answered later, call and result
   * become its newest exchange, so that the model sees that there is news.
   */
  settle(callId: string, text: string): { readonly message: Message } | undefined {
    const at = this.#entries.findIndex(({ open }) => open.has(callId));
    const entry = this.#entries[at];
    const known = entry?.open.get(callId);
    if (!entry || !known) return undefined;
    const { call, status } = known.outcome;
    entry.open.delete(callId);
    const message = resultMessage(call, text);
    const isNews = status === 'pending' && this.#entries.length > at + 1;
    if (isNews) {
      entry.rounds = without(entry.rounds, callId);
      const asked = textMessage('assistant', '', { toolCalls: [call], finishReason: 'tool-calls' });
      this.#add({ message: undefined, rounds: [asked, message], open: new Map() });
    } else {
      entry.rounds = entry.rounds.map((other) => (other.toolCallId === callId ? message : other));
    }
    return { message };
  }

  /** True while a call that was made together with this one waits for an answer too. */
  waits(callId: string): boolean {
    return this.#entries.some(
      ({ rounds, message, open }) =>
        [...open.values()].some(({ outcome }) => outcome.status === 'pending') &&
        [...rounds, ...(message ? [message] : [])].some(({ toolCalls }) =>
          toolCalls?.some(({ id }) => id === callId),
        ),
    );
  }

  /** Everything, oldest first: `stored` from earlier visits, then this run's; one that is in both counts once, in its newer form. */
  after(stored: readonly Message[]): Message[] {
    const own = new Set(this.#entries.map(({ message }) => message?.id));
    return [...stored.filter(({ id }) => !own.has(id)), ...this.#entries.flatMap(expand)];
  }

  #add(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#entries.length > this.#limit) this.#entries.shift();
  }
}
