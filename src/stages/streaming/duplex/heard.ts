/** How much of a realtime reply the person heard: from the playback counter where there is one, else from the clock. */
import type { FloorMessage } from '../../../audio/floor.ts';
import type { StageContext } from '../../../core/stage/stage.ts';
import { msToSamples, samplesToMs, sleep } from '../../../core/time.ts';
import type { RealtimeSession } from '../../../providers/realtime/realtime.ts';
import type { DuplexLane } from './lane.ts';

/** So long playback may take to answer before the clock has to do, in ms. */
const reportPatienceMs = 1000;

/** What {@link DuplexHeard} needs. */
export interface DuplexHeardOptions {
  readonly floor: MessagePort | undefined;
  /** Of the speaker, in hertz. */
  readonly sampleRate: number;
  readonly context: StageContext;
  /** The session of this number, while it is open. */
  readonly session: (number: number) => RealtimeSession | undefined;
  /** What was heard of a reply that was cut. */
  readonly onHeard: (lane: DuplexLane, heard: string) => void;
  /** A reply was heard to its end. */
  readonly onSilent: () => void;
}

/** Watches replies from their first piece until they were heard or cut. */
export class DuplexHeard {
  readonly #options: DuplexHeardOptions;
  readonly #audible = new Set<DuplexLane>();
  #cut = -1;
  #flushed: { readonly turn: number; readonly samples: number; readonly upTo: number } | undefined;
  #patience: AbortController | undefined;

  constructor(options: DuplexHeardOptions) {
    this.#options = options;
    if (options.floor)
      options.floor.onmessage = ({ data }: MessageEvent<FloorMessage>): void => this.#report(data);
  }

  /** A reply's first piece goes out. */
  begin(lane: DuplexLane): void {
    lane.spokeAtMs = this.#options.context.clock.now();
    this.#audible.add(lane);
  }

  /** Whether something is, or will be, audible. */
  get isAudible(): boolean {
    if (!this.#options.floor)
      for (const lane of this.#audible)
        if (lane.isOver && this.#estimate(lane) >= lane.speech.emitted) this.#audible.delete(lane);
    return this.#audible.size > 0;
  }

  /** Everything of turns ≤ `turn` was cut: the model is told what was heard as soon as that is known. */
  cutUpTo(turn: number): void {
    this.#cut = Math.max(this.#cut, turn);
    if (this.#settle() || !this.#options.floor) return this.#settleByClock();
    this.#patience?.abort();
    this.#patience = new AbortController();
    const { context } = this.#options;
    const signal = AbortSignal.any([this.#patience.signal, context.signal]);
    sleep(context.clock, reportPatienceMs, signal).then(
      () => this.#settleByClock(),
      () => {},
    );
  }

  /** Closes the port. */
  close(): void {
    this.#patience?.abort();
    const { floor } = this.#options;
    if (!floor) return;
    floor.onmessage = null;
    floor.close();
  }

  #report(message: FloorMessage): void {
    if (message.type === 'flushed') {
      const { turn, samples } = message.spoken;
      this.#flushed = { turn, samples, upTo: message.turn };
      this.#settle();
    } else if (message.type === 'silent' && message.finished) {
      for (const lane of this.#audible)
        if (lane.turn <= message.turn && lane.isOver) this.#audible.delete(lane);
      this.#options.onSilent();
    }
  }

  /** Settles the cut by playback's report; false when that has not come. */
  #settle(): boolean {
    const flushed = this.#flushed;
    if (!flushed || flushed.upTo < this.#cut) return false;
    this.#patience?.abort();
    for (const lane of this.#cutLanes()) {
      if (lane.turn === flushed.turn) this.#truncate(lane, flushed.samples);
      else this.#truncate(lane, lane.turn < flushed.turn ? lane.speech.emitted : 0);
    }
    return true;
  }

  #settleByClock(): void {
    for (const lane of this.#cutLanes()) this.#truncate(lane, this.#estimate(lane));
  }

  #cutLanes(): DuplexLane[] {
    return [...this.#audible].filter((lane) => lane.turn <= this.#cut);
  }

  #estimate(lane: DuplexLane): number {
    const { context, sampleRate } = this.#options;
    const ms = context.clock.now() - (lane.spokeAtMs ?? context.clock.now());
    return Math.min(lane.speech.emitted, msToSamples(ms, sampleRate));
  }

  #truncate(lane: DuplexLane, samples: number): void {
    this.#audible.delete(lane);
    const { sampleRate, context } = this.#options;
    this.#options.onHeard(lane, lane.speech.heardText(samples));
    for (const { session, item, from, to } of lane.speech.items) {
      if (samples >= to) continue;
      const playedMs = samplesToMs(Math.max(0, samples - from), sampleRate);
      this.#options.session(session)?.truncate(item, playedMs);
      context.emit('truncated', { turn: lane.turn, item, playedMs });
    }
  }
}
