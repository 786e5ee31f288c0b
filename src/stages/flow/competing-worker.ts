/** One of the workers of `compete`: has one element at a time, and knows when it is done with it. */
import { channel } from '../../core/channel/channel.ts';
import { element, type InterruptElement, type StreamElement } from '../../core/element.ts';
import { AntiphonError } from '../../core/errors.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import { Doorbell } from '../conversation/look-ahead.ts';

/** Outputs that leave together, in the line of all outputs. */
export interface Segment {
  readonly outputs: StreamElement[];
  /** Elements it stands for. */
  taken: number;
  /** Elements whose outputs are not complete. */
  pending: number;
  /** Nothing more joins it. */
  sealed: boolean;
}

/** An element to be dealt with, and where what becomes of it leaves. */
export interface Job {
  readonly item: StreamElement;
  readonly segment: Segment;
}

/** Outputs of one element that wait for their turn; then the worker waits. */
const maxHeld = 64;
const mark = 'competing';

/** Who is told of a worker. */
export interface WorkerListeners {
  /** Something has changed. */
  onChange(): void;
  /** It said something that belongs to no element. */
  onStray(output: StreamElement): void;
}

/** Runs `stage` on a channel of its own. */
export class CompetingWorker {
  /** Rung when outputs may have been taken. */
  readonly room: Doorbell = new Doorbell();
  readonly #name: string;
  readonly #listeners: WorkerListeners;
  readonly #channel: ReturnType<typeof channel<StreamElement>> = channel({ capacity: 2 });
  readonly #running: Promise<void>;
  #job: Job | undefined;
  #closing = false;
  #ended = false;
  #failure: { readonly reason: unknown } | undefined;

  /** @param name of the stage that it is part of */
  constructor(name: string, stage: Stage, context: StageContext, listeners: WorkerListeners) {
    this.#name = name;
    this.#listeners = listeners;
    this.#running = this.#run(stage, context).catch((reason: unknown) => {
      this.#failure = { reason };
      listeners.onChange();
    });
  }

  /** Why it can go on no more; undefined while it can. */
  get failure(): { readonly reason: unknown } | undefined {
    return this.#failure;
  }

  /** True when it has nothing to do. */
  get isFree(): boolean {
    return !this.#job;
  }

  /** True when it has ended because its input has. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Has it deal with an element; only while it is free. */
  give(job: Job): void {
    this.#job = job;
    const { turn, at } = job.item;
    const done = element('turn-end', { turn, at, source: this.#name, meta: { [mark]: true } });
    // There is room for both: it took what it had before.
    this.#channel.writer.offer(job.item);
    this.#channel.writer.offer(done);
  }

  /** Passes an interrupt on to it. */
  interrupt(interrupt: InterruptElement): void {
    this.#channel.writer.overtake(interrupt);
  }

  /** Nothing more will be given. */
  end(): void {
    this.#closing = true;
    this.#channel.writer.close();
  }

  /** Ends it and waits for its tear-down. */
  async close(): Promise<void> {
    this.end();
    this.#channel.reader.cancel();
    this.#job?.segment.outputs.splice(0);
    this.room.ring();
    await this.#running;
  }

  async #run(stage: Stage, context: StageContext): Promise<void> {
    for await (const output of stage.process(this.#channel.reader, context)) {
      // The interrupt itself passes beside the workers, once.
      if (output.kind === 'interrupt') continue;
      if (output.kind === 'turn-end' && output.meta?.[mark] === true) this.#done();
      else if (this.#job) await this.#put(this.#job.segment.outputs, output);
      else this.#listeners.onStray(output);
    }
    if (!this.#closing)
      throw new AntiphonError('stage', `"${stage.name}" ended before its input did`, {
        hint: 'A stage that competes must read until its input ends.',
      });
    this.#ended = true;
    this.#listeners.onChange();
  }

  #done(): void {
    if (this.#job) this.#job.segment.pending -= 1;
    this.#job = undefined;
    this.#listeners.onChange();
  }

  async #put(outputs: StreamElement[], output: StreamElement): Promise<void> {
    outputs.push(output);
    this.#listeners.onChange();
    while (outputs.length >= maxHeld && !this.#closing) await this.room.wait();
  }
}
