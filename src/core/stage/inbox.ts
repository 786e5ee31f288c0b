/**
 * What a stage reads from: one or more channels or ports joined in a fair order, with the interrupt
 * lane in front. The only place that knows what an `interrupt` voids.
 */
import type { ChannelReader } from '../channel/queue.ts';
import { Turns } from '../channel/merge.ts';
import type { EndElement, InterruptElement, StreamElement } from '../element.ts';
import { isInterruptible } from '../element.ts';

/** What the owner of an {@link Inbox} is told. */
export interface InboxListeners {
  /** An interrupt arrived that voids more than those before it; forward it at once. */
  readonly onInterrupt?: (interrupt: InterruptElement) => void;
  /** Something was taken. */
  readonly onActivity?: () => void;
}

interface Waiter {
  resolve(result: IteratorResult<StreamElement, undefined>): void;
  reject(reason: unknown): void;
}

const finished: IteratorReturnResult<undefined> = { done: true, value: undefined };
/** Signals of this many turns are kept; older turns are long over. */
const rememberedTurns = 64;

/**
 * Joins readers into the input of one stage. An interrupt for turn n overtakes: it drops the waiting and
 * all later interruptible elements of turns ≤ n and aborts `turnSignal` of those turns before anybody
 * awaits anything, then comes out first. `end` comes out once, after every input has ended.
 */
export class Inbox implements AsyncIterable<StreamElement> {
  readonly #readers: readonly ChannelReader<StreamElement>[];
  readonly #turns: Turns<StreamElement>;
  readonly #listeners: InboxListeners;
  readonly #controllers = new Map<number, AbortController>();
  readonly #lane: InterruptElement[] = [];
  #voided = -1;
  #waiter: Waiter | undefined;
  #listener: (() => void) | undefined;
  #arrival: (() => void) | undefined;
  #end: EndElement | undefined;
  #endDelivered = false;
  #over: { readonly reason: unknown } | 'cancelled' | undefined;

  constructor(readers: readonly ChannelReader<StreamElement>[], listeners: InboxListeners = {}) {
    this.#readers = readers;
    this.#turns = new Turns(readers);
    this.#listeners = listeners;
    for (const reader of readers) {
      reader.onOvertake((value) => {
        if (value.kind === 'interrupt') this.interrupt(value);
      });
      reader.onReadable(() => {
        this.#arrival?.();
        this.#wake();
      });
    }
  }

  /** The `end` that came in, if one did. */
  get end(): EndElement | undefined {
    return this.#end;
  }

  /** True when nothing can ever come in. */
  get isSource(): boolean {
    return this.#readers.length === 0;
  }

  /** How many elements wait. */
  get depth(): number {
    return this.#readers.reduce((sum, reader) => sum + reader.depth, this.#lane.length);
  }

  /** True for an element that an interrupt has made void. */
  isVoid(element: StreamElement): boolean {
    return element.turn <= this.#voided && isInterruptible(element);
  }

  /** A signal that aborts when an interrupt for `turn` or a later one arrives; aborted already if one has. */
  turnSignal(turn: number): AbortSignal {
    const known = this.#controllers.get(turn);
    if (known) return known.signal;
    const controller = new AbortController();
    if (turn <= this.#voided || this.#over !== undefined) controller.abort(this.#reason());
    this.#controllers.set(turn, controller);
    const oldest = this.#controllers.keys().next();
    if (this.#controllers.size > rememberedTurns && !oldest.done)
      this.#controllers.delete(oldest.value);
    return controller.signal;
  }

  /** Voids turns ≤ `interrupt.turn` and puts the interrupt first; false when an earlier one did all that. */
  interrupt(interrupt: InterruptElement): boolean {
    if (!this.voidTurns(interrupt.turn)) return false;
    this.#lane.push(interrupt);
    this.#listeners.onInterrupt?.(interrupt);
    this.#wake();
    return true;
  }

  /** Voids turns ≤ `turn` without delivering an interrupt; false when they were void before. */
  voidTurns(turn: number): boolean {
    if (turn <= this.#voided || this.#over !== undefined) return false;
    this.#voided = turn;
    for (const reader of this.#readers) reader.discard((element) => this.isVoid(element));
    for (const [number, controller] of this.#controllers) {
      if (number > turn) continue;
      this.#controllers.delete(number);
      controller.abort(this.#reason());
    }
    return true;
  }

  /** True when nothing waits and nothing will come. */
  get hasEnded(): boolean {
    return this.#over !== undefined || (this.#lane.length === 0 && this.#turns.ended);
  }

  /** Calls `listener` whenever something may have come in, or ended; instead of `next`. */
  onReadable(listener: () => void): void {
    this.#listener = listener;
  }

  /** Calls `listener` whenever something may have come in, before it is taken; for those who measure. */
  onArrival(listener: () => void): void {
    this.#arrival = listener;
  }

  /** Takes the next element at once; undefined when none waits. Throws the failure of a failed input. */
  poll(): StreamElement | undefined {
    for (;;) {
      const interrupt = this.#lane.shift();
      if (interrupt) return interrupt;
      const element = this.#turns.poll();
      if (element === undefined) return this.#takeEnd();
      this.#listeners.onActivity?.();
      if (element.kind === 'end') this.#end ??= element;
      else if (element.kind === 'interrupt') this.interrupt(element);
      else if (!this.isVoid(element)) return element;
    }
  }

  /** The next element; `done` when every input has ended; rejects when one failed or the stage is aborted. */
  next(): Promise<IteratorResult<StreamElement, undefined>> {
    if (this.#over === 'cancelled') return Promise.resolve(finished);
    if (this.#over) return Promise.reject(this.#over.reason);
    try {
      const value = this.poll();
      if (value !== undefined) return Promise.resolve({ done: false, value });
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.#turns.ended) return Promise.resolve(finished);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  /** Nobody will read again: every input is cancelled, every turn's signal aborts. */
  cancel(reason?: unknown): void {
    this.#finish('cancelled', reason);
  }

  /** Like `cancel`, but whoever waits for the next element, now or later, is rejected with `reason`. */
  abort(reason: unknown): void {
    this.#finish({ reason }, reason);
  }

  /** Leaving a loop early keeps the inbox open: a stage may read on in another loop, and the runner cancels it in the end. */
  [Symbol.asyncIterator](): AsyncIterator<StreamElement, undefined> {
    return { next: () => this.next() };
  }

  #finish(over: { readonly reason: unknown } | 'cancelled', reason: unknown): void {
    if (this.#over !== undefined) return;
    this.#over = over;
    this.#lane.length = 0;
    for (const controller of this.#controllers.values()) controller.abort(this.#reason());
    for (const reader of this.#readers) reader.cancel(reason);
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (over === 'cancelled') waiter?.resolve(finished);
    else waiter?.reject(over.reason);
  }

  #reason(): unknown {
    return this.#over === undefined || this.#over === 'cancelled' ? undefined : this.#over.reason;
  }

  #takeEnd(): EndElement | undefined {
    if (this.#endDelivered || !this.#end || !this.#turns.ended) return undefined;
    this.#endDelivered = true;
    return this.#end;
  }

  #wake(): void {
    this.#listener?.();
    const waiter = this.#waiter;
    if (!waiter) return;
    this.#waiter = undefined;
    try {
      const value = this.poll();
      if (value !== undefined) waiter.resolve({ done: false, value });
      else if (this.#turns.ended) waiter.resolve(finished);
      else this.#waiter = waiter;
    } catch (error) {
      waiter.reject(error);
    }
  }
}
