/** What driving a generator and driving steps have in common: output, and the ways it can end. */
import { within } from '../abortable.ts';
import type { ChannelWriter } from '../channel/channel.ts';
import { deferred } from '../deferred.ts';
import { element, type StreamElement } from '../element.ts';
import { abortedError } from '../errors.ts';
import type { InterruptForwarder } from './context.ts';
import type { Inbox } from './inbox.ts';
import type { StageContext } from './stage.ts';

/** How long a stage may take to tear itself down once it was told to stop, in ms. */
export const teardownGraceMs = 1000;

/** The two sides of a stage in a run. */
export interface StageSides {
  readonly inbox: Inbox;
  readonly outbox: ChannelWriter<StreamElement>;
  readonly forward: InterruptForwarder;
}

/**
 * The output side of a stage at work. Callbacks instead of a loop of awaits, so that an abort gets through
 * while the stage or the outbox keeps us waiting.
 */
export class Drive {
  readonly #sides: StageSides;
  readonly #signal: AbortSignal;
  /** True: the output is complete. False: the run was aborted, or nobody reads what the stage emits. */
  readonly #settled = deferred<boolean>();
  #end: StreamElement | undefined;
  #over = false;

  constructor(sides: StageSides, signal: AbortSignal) {
    this.#sides = sides;
    this.#signal = signal;
    const { cancelled } = sides.outbox;
    signal.addEventListener('abort', this.#stop, { once: true });
    cancelled.addEventListener('abort', this.#stop, { once: true });
    if (signal.aborted || cancelled.aborted) this.#stop();
  }

  /** True when nothing that the stage does matters any more. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Sends on what the stage emits; a promise when that has to wait for room. */
  emit(output: StreamElement): Promise<void> | undefined {
    const { inbox, outbox, forward } = this.#sides;
    if (output.kind === 'interrupt') forward.send(output);
    else if (output.kind === 'end') this.#end = output;
    else if (!inbox.isVoid(output) && !outbox.offer(output)) return outbox.write(output);
    return undefined;
  }

  /** The stage has emitted all: `end` leaves last, however early the stage passed it on. */
  complete(): void {
    const { inbox, outbox } = this.#sides;
    const end = this.#end ?? inbox.end ?? (inbox.isSource ? element('end', {}) : undefined);
    const complete = (): void => this.#settle(() => this.#settled.resolve(true));
    if (end === undefined) complete();
    else outbox.write(end).then(complete, this.fail);
  }

  /** The stage threw, or the outbox did because nobody reads it any more. */
  readonly fail = (error: unknown): void => {
    if (this.#sides.outbox.cancelled.aborted || this.#signal.aborted) this.#stop();
    else this.#settle(() => this.#settled.reject(error));
  };

  /**
   * Resolves when the output is complete, or was stopped and `working`, what the stage is at then, is torn down;
   * rejects with what the stage threw.
   */
  async concluded(
    working: () => AsyncIterator<StreamElement> | undefined,
    context: StageContext,
  ): Promise<void> {
    let complete = false;
    try {
      complete = await this.#settled.promise;
    } finally {
      // Also when the outbox refused an element: the stage has not ended by itself.
      if (!complete) await this.#tearDown(working(), context);
    }
  }

  /** Ends what the stage is at; waits for its `finally`, but not forever. */
  async #tearDown(
    iterator: AsyncIterator<StreamElement> | undefined,
    context: StageContext,
  ): Promise<void> {
    // Aborted, or nobody reads any more.
    const { aborted, reason } = context.signal;
    this.#sides.inbox.abort(aborted ? reason : abortedError());
    const returned = Promise.resolve(iterator?.return?.()).catch(() => {});
    if (!(await within(returned, teardownGraceMs))) context.emit('stage-abandoned');
  }

  readonly #stop = (): void => this.#settle(() => this.#settled.resolve(false));

  #settle(act: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#signal.removeEventListener('abort', this.#stop);
    this.#sides.outbox.cancelled.removeEventListener('abort', this.#stop);
    act();
  }
}
