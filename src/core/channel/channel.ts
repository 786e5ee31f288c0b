/** A bounded channel between two stages of one thread: two ends, two types, a stated overflow policy. */
import { AntiphonError } from '../errors.ts';
import { Queue, type ChannelReader } from './queue.ts';
import { WaitingWrites } from './waiting-writes.ts';

/** The names of the policies. */
export const overflowPolicies = ['wait', 'drop-oldest', 'drop-newest', 'fail'] as const;

/**
 * What happens to a value that finds the channel full: the writer waits; the oldest or the newest value
 * is dropped; or the channel fails with code `channel-overflow`.
 */
export type Overflow = (typeof overflowPolicies)[number];

/** What a stage writes to. */
export interface ChannelWriter<in T> {
  /** The synchronous fast path: true when the policy dealt with `value`, false when it must wait or the channel is over. */
  offer(value: T): boolean;
  /** Waits for room. Rejects with `channel-closed` when nobody reads any more, `aborted` when `signal` aborts. */
  write(value: T, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Sends `value` ahead of everything that waits; never waits, never dropped. Over a port: interrupts only. */
  overtake(value: T): void;
  /** Nothing more follows; what was written is still delivered. */
  close(): void;
  /** Discards what waits and rejects the reader with `reason`. */
  fail(reason: unknown): void;
  /** Whether `offer` would take a value right now. */
  readonly writable: boolean;
  /** Aborts when the reader cancels. */
  readonly cancelled: AbortSignal;
}

/** Bounds of a channel. */
export interface ChannelOptions<T> {
  /** The most values that wait; at least 1. */
  readonly capacity: number;
  /** `wait` unless given. */
  readonly overflow?: Overflow;
  /** Told of every dropped value. */
  readonly onDrop?: (dropped: T) => void;
  /** Values that must never be dropped: they take the place of one that may, or wait. */
  readonly keep?: (value: T) => boolean;
}

/** A bounded channel; throws `invalid-argument` on a capacity below 1. */
export function channel<T extends {}>(
  options: ChannelOptions<T>,
): { readonly writer: ChannelWriter<T>; readonly reader: ChannelReader<T> } {
  const writer = new LocalWriter(options);
  return { writer, reader: writer.queue };
}

/** The error a writer meets when nobody reads any more. */
export function closedError(reason?: unknown): AntiphonError {
  return new AntiphonError('channel-closed', 'the channel is closed: nobody reads it any more', {
    hint: 'Stop writing; the reader has gone.',
    ...(reason === undefined ? {} : { cause: reason }),
  });
}

const accepted: Promise<void> = Promise.resolve();

class LocalWriter<T extends {}> implements ChannelWriter<T> {
  readonly queue: Queue<T>;
  readonly #options: ChannelOptions<T>;
  readonly #waiting = new WaitingWrites<T>(() => this.#endAfterLast());
  readonly #cancel = new AbortController();
  #open = true;

  constructor(options: ChannelOptions<T>) {
    this.#options = options;
    this.queue = new Queue<T>(options.capacity, {
      // Half empty before anybody is woken: otherwise a slow reader wakes the writer for every value.
      taken: () => {
        if (this.#waiting.length > 0 && this.queue.inLine <= options.capacity >> 1) this.#admit();
      },
      cancelled: (reason) => {
        this.#open = false;
        this.#waiting.rejectAll(closedError(reason));
        this.#cancel.abort(reason);
      },
    });
  }

  get cancelled(): AbortSignal {
    return this.#cancel.signal;
  }

  get writable(): boolean {
    const patient = (this.#options.overflow ?? 'wait') === 'wait';
    return this.#open && this.#waiting.length === 0 && (!patient || !this.queue.full);
  }

  offer(value: T): boolean {
    if (!this.#open) return false;
    if (this.#waiting.length > 0) return this.#dropBehind(value);
    return this.queue.full ? this.#overflow(value) : this.queue.push(value);
  }

  write(value: T, options?: { readonly signal?: AbortSignal }): Promise<void> {
    if (this.offer(value)) return accepted;
    if (this.queue.failure !== undefined) return Promise.reject(this.queue.failure);
    if (!this.#open) return Promise.reject(closedError(this.cancelled.reason));
    return this.#waiting.add(value, options?.signal);
  }

  overtake(value: T): void {
    if (this.#open) this.queue.overtake(value);
  }

  close(): void {
    this.#open = false;
    this.#endAfterLast();
  }

  fail(reason: unknown): void {
    this.#open = false;
    this.#waiting.rejectAll(reason);
    this.queue.fail(reason);
  }

  /** Only kept values ever wait under a dropping policy; what comes behind them and may be dropped is. */
  #dropBehind(value: T): boolean {
    const { overflow = 'wait', keep = () => false, onDrop } = this.#options;
    if (overflow === 'wait' || overflow === 'fail' || keep(value)) return false;
    onDrop?.(value);
    return true;
  }

  #admit(): void {
    this.#waiting.drain((value) => this.queue.push(value));
    this.#endAfterLast();
  }

  /** Ends the queue once it is closed and nobody waits to write any more. */
  #endAfterLast(): void {
    if (!this.#open && this.#waiting.length === 0) this.queue.end();
  }

  /** Deals with `value` when the queue is full; false: it has to wait. */
  #overflow(value: T): boolean {
    const { overflow = 'wait', keep = () => false, onDrop, capacity } = this.#options;
    if (overflow === 'wait') return false;
    if (overflow === 'fail') {
      const hint = 'Read faster, give it more capacity, or choose another overflow policy.';
      this.fail(new AntiphonError('channel-overflow', `channel of ${capacity} is full`, { hint }));
      return false;
    }
    if (overflow === 'drop-newest' && !keep(value)) {
      onDrop?.(value);
      return true;
    }
    const victim = this.#evict(keep, overflow);
    if (victim !== undefined) {
      onDrop?.(victim);
      return this.queue.push(value);
    }
    if (keep(value)) return false;
    onDrop?.(value);
    return true;
  }

  /** Takes out the oldest (newest) value that may be dropped. */
  #evict(keep: (value: T) => boolean, overflow: Overflow): T | undefined {
    if (overflow === 'drop-oldest') {
      let found = false;
      return this.queue.removeWaiting((value) => !found && !keep(value) && (found = true))[0];
    }
    let last: T | undefined;
    this.queue.removeWaiting((value) => {
      if (!keep(value)) last = value;
      return false;
    });
    return last === undefined ? undefined : this.queue.removeWaiting((value) => value === last)[0];
  }
}
