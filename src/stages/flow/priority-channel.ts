/** A bounded queue of elements in which the more important overtake, and nothing starves. */
import { closedError } from '../../core/channel/channel.ts';
import { WaitingWrites } from '../../core/channel/waiting-writes.ts';
import {
  isControl,
  type ControlElement,
  type InterruptElement,
  type Priority,
  type StreamElement,
} from '../../core/element.ts';
import { AntiphonError, toAntiphonError } from '../../core/errors.ts';

/** Settings of {@link PriorityChannel}. */
export interface PriorityChannelOptions {
  /** The most elements that wait; 32 unless given, an integer of at least 1. */
  readonly capacity?: number;
  /** How often content of a level may be passed over before it is served; 8 unless given, an integer of at least 1. */
  readonly patience?: number;
}

/** What may be said about one wait. */
export interface WaitOptions {
  /** Ends the wait, which then rejects with code `aborted`; nothing is sent or taken. */
  readonly signal?: AbortSignal;
}

interface Receiver {
  resolve(element: StreamElement | undefined): void;
  reject(reason: unknown): void;
}

/** What was sent between two control elements, by level, and the control that comes after it. */
interface Section {
  readonly levels: readonly StreamElement[][];
  control?: ControlElement;
}

/** Highest first; the order of a section's levels. */
const order: readonly Priority[] = ['critical', 'high', 'normal', 'low'];

/**
 * Any number of senders, any number of receivers, four levels: content comes out by `priority` (`normal`
 * without one), in the order sent within a level. A level that waits is served after at most `patience` + 3
 * others of its section. Control ignores `priority` and stays in its place: nothing comes out on the other side of
 * a control element than it was sent on. Only `interrupt` overtakes everything: it never waits for room, and of
 * several that wait the one for the latest turn, which voids the most, comes out. What an interrupt voids
 * is dropped by the stages it reaches, not here; nothing is ever dropped here.
 *
 * It is an input for `pipeline.execute()`: several producers, one run. Leaving the iteration cancels it.
 *
 * @example
 * const input = new PriorityChannel();
 * const run = pipeline.execute(input);
 * await input.send(element('text', { text: 'Fire!', delta: false, priority: 'critical' }));
 */
export class PriorityChannel implements AsyncIterable<StreamElement> {
  readonly capacity: number;
  readonly #patience: number;
  readonly #waiting = new WaitingWrites<StreamElement>();
  readonly #passedOver = order.map(() => 0);
  readonly #receivers = new Set<Receiver>();
  #sections: Section[] = [newSection()];
  #interrupt: InterruptElement | undefined;
  #length = 0;
  #over: 'no' | 'closed' | { readonly reason: unknown } = 'no';

  /** Throws `invalid-argument` when a setting is no integer of at least 1. */
  constructor({ capacity = 32, patience = 8 }: PriorityChannelOptions = {}) {
    for (const [name, value] of Object.entries({ capacity, patience }))
      if (!Number.isInteger(value) || value < 1)
        throw new AntiphonError('invalid-argument', `PriorityChannel: ${name} is ${value}`, {
          hint: 'Give an integer of at least 1.',
        });
    this.capacity = capacity;
    this.#patience = patience;
  }

  /** How many elements wait; never above `capacity`, a waiting interrupt not counted. */
  get length(): number {
    return this.#length;
  }

  /** Sends at once if there is room and nobody waits for some; false otherwise, or when it is over. */
  offer(element: StreamElement): boolean {
    if (this.#over !== 'no') return false;
    if (element.kind === 'interrupt') {
      if (!this.#interrupt || element.turn > this.#interrupt.turn) this.#interrupt = element;
    } else if (this.#waiting.length > 0 || !this.#push(element)) return false;
    this.#serve();
    return true;
  }

  /**
   * Sends, waiting for room; those who wait get in in the order they came, whatever their priority. Rejects
   * with `channel-closed` after `close()` or when nobody reads any more, with the reason of `fail()`, or with
   * `aborted`.
   */
  async send(element: StreamElement, { signal }: WaitOptions = {}): Promise<void> {
    if (signal?.aborted) throw toAntiphonError(signal.reason, 'aborted');
    if (this.offer(element)) return;
    if (this.#over === 'closed') throw closedError();
    if (this.#over !== 'no') throw this.#over.reason;
    await this.#waiting.add(element, signal);
  }

  /** Takes the next element at once; undefined when none waits. */
  poll(): StreamElement | undefined {
    const interrupt = this.#interrupt;
    if (interrupt) {
      this.#interrupt = undefined;
      return interrupt;
    }
    const element = this.#take();
    if (element) this.#waiting.drain((value) => this.#push(value));
    return element;
  }

  /** Takes the next element when there is one; undefined once it is closed and all is read. Rejects with the reason of `fail()`, or with `aborted`. */
  receive({ signal }: WaitOptions = {}): Promise<StreamElement | undefined> {
    if (signal?.aborted) return Promise.reject(toAntiphonError(signal.reason, 'aborted'));
    if (typeof this.#over === 'object') return Promise.reject(this.#over.reason);
    const element = this.poll();
    if (element || this.#over === 'closed') return Promise.resolve(element);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#receivers.delete(receiver);
        reject(toAntiphonError(signal?.reason, 'aborted'));
      };
      const settled = (): void => signal?.removeEventListener('abort', leave);
      const receiver: Receiver = {
        resolve: (value) => {
          settled();
          resolve(value);
        },
        reject: (reason) => {
          settled();
          reject(reason);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#receivers.add(receiver);
    });
  }

  /** Nothing more is sent; what waits, waiting sends included, is still delivered. */
  close(): void {
    if (this.#over !== 'no') return;
    this.#over = 'closed';
    this.#serve();
  }

  /** Discards what waits; every sender and receiver, now or later, is rejected with `reason`. */
  fail(reason: unknown): void {
    if (typeof this.#over === 'object') return;
    this.#over = { reason };
    this.#sections = [newSection()];
    this.#length = 0;
    this.#interrupt = undefined;
    this.#waiting.rejectAll(reason);
    for (const receiver of this.#receivers) receiver.reject(reason);
    this.#receivers.clear();
  }

  /** What is received, until it is closed; leaving early fails it with `channel-closed`. One iteration takes an element, not each. */
  [Symbol.asyncIterator](): AsyncIterator<StreamElement, undefined> {
    return {
      next: async () => {
        const value = await this.receive();
        return value ? { done: false, value } : { done: true, value: undefined };
      },
      return: () => {
        this.fail(closedError());
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  #push(element: StreamElement): boolean {
    if (this.#length >= this.capacity) return false;
    this.#length += 1;
    const section = this.#sections.at(-1);
    if (isControl(element)) {
      if (section) section.control = element;
      this.#sections.push(newSection());
    } else section?.levels[levelOf(element)]?.push(element);
    return true;
  }

  /** Hands what waits to those who wait for it. */
  #serve(): void {
    for (const receiver of this.#receivers) {
      const element = this.poll();
      if (!element && this.#over === 'no') return;
      this.#receivers.delete(receiver);
      receiver.resolve(element);
    }
  }

  #take(): StreamElement | undefined {
    const [section] = this.#sections;
    if (!section || this.#length === 0) return undefined;
    this.#length -= 1;
    const level = this.#next(section.levels);
    if (level < 0) {
      this.#sections.shift();
      return section.control;
    }
    section.levels.forEach((waiting, other) => {
      this.#passedOver[other] =
        other === level || waiting.length === 0 ? 0 : this.#skips(other) + 1;
    });
    return section.levels[level]?.shift();
  }

  /** The level to serve: the one passed over most if that is too often, else the highest; −1 when all are empty. */
  #next(levels: readonly StreamElement[][]): number {
    const highest = levels.findIndex((waiting) => waiting.length > 0);
    let next = highest;
    levels.forEach((waiting, level) => {
      if (waiting.length === 0 || this.#skips(level) < this.#patience) return;
      if (this.#skips(next) < this.#patience || this.#skips(level) > this.#skips(next))
        next = level;
    });
    return next;
  }

  #skips(level: number): number {
    return this.#passedOver[level] ?? 0;
  }
}

/** A priority that does not exist, in an element from elsewhere, counts as `normal`. */
function levelOf({ priority = 'normal' }: StreamElement): number {
  const level = order.indexOf(priority);
  return level < 0 ? order.indexOf('normal') : level;
}

function newSection(): Section {
  return { levels: order.map(() => []) };
}
