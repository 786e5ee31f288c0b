/** The reading end of a channel, whoever fills it: a writer of the same thread or a port. */
import { AntiphonError } from '../errors.ts';
import { Ring } from './ring.ts';

/** What a stage reads from. One consumer; iterate it, or `poll` it and be told by `onReadable`. */
export interface ChannelReader<out T extends {}> extends AsyncIterable<T> {
  /** Takes the next value at once; undefined when none waits. */
  poll(): T | undefined;
  /** Takes the next value when there is one; `done` once the writer closed and all is read; rejects when it failed. */
  next(): Promise<IteratorResult<T, undefined>>;
  /** Nobody will read again: the queue is discarded and the writer told. */
  cancel(reason?: unknown): void;
  /** How many values wait. */
  readonly depth: number;
  /** `ended`: nothing waits and nothing will come. */
  readonly state: 'open' | 'ended' | 'failed';
  /** Why it failed; undefined otherwise. */
  readonly failure: unknown;
  /** Drops the waiting values that `matches`; they count as taken. Returns how many. */
  discard(matches: (value: T) => boolean): number;
  /** Calls `listener` whenever something arrived, or the channel ended or failed. One listener. */
  onReadable(listener: () => void): void;
  /** Hands values sent by `overtake` to `listener` at once, instead of the front of the queue. One listener. */
  onOvertake(listener: (value: T) => void): void;
}

/** How the owner of a {@link Queue} hears of its consumer. */
export interface QueueHooks {
  /** Room was made for `count` values. */
  taken(count: number): void;
  cancelled(reason: unknown): void;
}

interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(reason: unknown): void;
}

const finished: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** A bounded queue with a lane for what overtakes; `push`, `overtake`, `end` and `fail` are its owner's side. */
export class Queue<T extends {}> implements ChannelReader<T> {
  readonly #ring: Ring<T>;
  readonly #hooks: QueueHooks;
  #lane: T[] = [];
  #waiters: Waiter<T>[] = [];
  #phase: 'open' | 'ending' | 'failed' | 'cancelled' = 'open';
  #failure: unknown;
  #readable: (() => void) | undefined;
  #overtaken: ((value: T) => void) | undefined;

  constructor(capacity: number, hooks: QueueHooks) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new AntiphonError('invalid-argument', `channel capacity is ${capacity}`, {
        hint: 'Give an integer of at least 1.',
      });
    this.#ring = new Ring(capacity);
    this.#hooks = hooks;
  }

  get depth(): number {
    return this.#ring.length + this.#lane.length;
  }

  /** How many wait in line; what overtook is not among them. */
  get inLine(): number {
    return this.#ring.length;
  }

  get full(): boolean {
    return this.#ring.full;
  }

  get state(): 'open' | 'ended' | 'failed' {
    if (this.#phase === 'failed') return 'failed';
    return this.#phase === 'open' || this.depth > 0 ? 'open' : 'ended';
  }

  get failure(): unknown {
    return this.#failure;
  }

  /** Appends; false when full. Ignored once it is over. */
  push(value: T): boolean {
    if (this.#phase !== 'open') return true;
    const waiter = this.#waiters.shift();
    if (waiter) {
      waiter.resolve({ done: false, value });
      this.#hooks.taken(1);
      return true;
    }
    if (!this.#ring.push(value)) return false;
    this.#readable?.();
    return true;
  }

  /** Puts `value` before everything that waits. */
  overtake(value: T): void {
    if (this.#phase !== 'open') return;
    if (this.#overtaken) this.#overtaken(value);
    else {
      const waiter = this.#waiters.shift();
      if (waiter) waiter.resolve({ done: false, value });
      else this.#lane.push(value);
      this.#readable?.();
    }
  }

  /** No more will come; what waits is still delivered. */
  end(): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'ending';
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(finished);
    this.#readable?.();
  }

  /** Discards what waits and rejects the consumer. */
  fail(reason: unknown): void {
    if (this.#phase === 'failed' || this.#phase === 'cancelled') return;
    this.#phase = 'failed';
    this.#failure = reason;
    this.#clear();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(reason);
    this.#readable?.();
  }

  poll(): T | undefined {
    if (this.#lane.length > 0) return this.#lane.shift();
    const value = this.#ring.shift();
    if (value !== undefined) this.#hooks.taken(1);
    return value;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const value = this.poll();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#phase === 'failed') return Promise.reject(this.#failure);
    if (this.#phase !== 'open') return Promise.resolve(finished);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  cancel(reason?: unknown): void {
    if (this.#phase === 'failed' || this.#phase === 'cancelled') return;
    const over = this.state === 'ended';
    this.#phase = 'cancelled';
    this.#clear();
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(finished);
    if (!over) this.#hooks.cancelled(reason);
  }

  discard(matches: (value: T) => boolean): number {
    return this.removeWaiting(matches).length;
  }

  /** Like `discard`, returning what was removed. */
  removeWaiting(matches: (value: T) => boolean): T[] {
    const removed = this.#ring.remove(matches);
    if (removed.length > 0) this.#hooks.taken(removed.length);
    return removed;
  }

  onReadable(listener: () => void): void {
    this.#readable = listener;
  }

  onOvertake(listener: (value: T) => void): void {
    this.#overtaken = listener;
    for (const value of this.#lane.splice(0)) listener(value);
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return {
      next: () => this.next(),
      return: (): Promise<IteratorReturnResult<undefined>> => {
        this.cancel();
        return Promise.resolve(finished);
      },
    };
  }

  #clear(): void {
    this.#ring.remove(() => true);
    this.#lane = [];
  }
}
