/** What one run of a conversation remembers: its messages, the tool rounds behind them, and later corrections. */
import { messageText, type Message } from '../../core/element.ts';
import { withText } from './model-history.ts';

interface Entry {
  message: Message;
  /** Exchanges with tools before the reply; their texts are a prefix of the reply's. */
  readonly rounds: readonly Message[];
}

/** The entry as separate messages, each with its share of what was heard (or generated). */
function expand({ message, rounds }: Entry): Message[] {
  if (rounds.length === 0) return [message];
  let rest = message.heard ?? message.generated ?? messageText(message);
  const shares = rounds.map((round) => {
    if (round.role !== 'assistant') return round;
    const length = messageText(round).length;
    const share = withText(round, rest.slice(0, length));
    rest = rest.slice(length);
    return share;
  });
  const { heard: _heard, ...answer } = withText(message, rest);
  return [...shares, answer];
}

/** Messages of a run in order, bounded, correctable by id. */
export class RunMemory {
  readonly #limit: number;
  readonly #entries: Entry[] = [];

  /** Keeps the last `limit` messages. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a message, or replaces the one of the same id in place. */
  put(message: Message, rounds: readonly Message[] = []): void {
    if (this.amend(message)) return;
    this.#entries.push({ message, rounds });
    if (this.#entries.length > this.#limit) this.#entries.shift();
  }

  /** Replaces the message of the same id; false when there is none. */
  amend(message: Message): boolean {
    const entry = this.#entries.find((other) => other.message.id === message.id);
    if (entry) entry.message = message;
    return entry !== undefined;
  }

  /** Everything, oldest first: `stored` from earlier visits, then this run's; one that is in both counts once, in its newer form. */
  after(stored: readonly Message[]): Message[] {
    const own = new Set(this.#entries.map(({ message }) => message.id));
    return [...stored.filter(({ id }) => !own.has(id)), ...this.#entries.flatMap(expand)];
  }
}
