/** What a realtime session may have to be told again: the audio of turns whose words are not known yet. */
import { samplesToMs } from '../../../core/time.ts';
import type { RealtimeSession } from '../../../providers/realtime/realtime.ts';

/** A step of a turn of the person. */
export type TurnStep =
  | { readonly do: 'start' | 'end'; readonly turn: number }
  | { readonly do: 'audio'; readonly turn: number; readonly samples: Float32Array };

/** Keeps the steps in order; bounded in audio, of which the oldest goes first. */
export class DuplexLog {
  readonly #rate: number;
  readonly #maxMs: number;
  readonly #onDrop: (turn: number, droppedMs: number) => void;
  readonly #steps: TurnStep[] = [];
  #samples = 0;

  /**
   * @param rate of the audio, in hertz
   * @param maxMs of audio that is kept
   * @param onDrop told of audio that was given up
   */
  constructor(rate: number, maxMs: number, onDrop: (turn: number, droppedMs: number) => void) {
    this.#rate = rate;
    this.#maxMs = maxMs;
    this.#onDrop = onDrop;
  }

  /** Whether anything of a turn is kept. */
  has(turn: number): boolean {
    return this.#steps.some((step) => step.turn === turn);
  }

  /** Notes a step. */
  add(step: TurnStep): void {
    this.#steps.push(step);
    if (step.do === 'audio') this.#samples += step.samples.length;
    this.#bound();
  }

  /** Nothing of a turn is needed any more. */
  settle(turn: number): void {
    const kept = this.#steps.filter((step) => step.turn !== turn);
    this.#steps.length = 0;
    this.#steps.push(...kept);
    this.#samples = kept.reduce(
      (sum, step) => sum + (step.do === 'audio' ? step.samples.length : 0),
      0,
    );
  }

  /** Tells a session what is kept of a turn. */
  replay(turn: number, session: RealtimeSession): void {
    for (const step of this.#steps) {
      if (step.turn !== turn) continue;
      if (step.do === 'audio') session.appendAudio(step.samples);
      else if (step.do === 'start') session.startTurn();
      else session.endTurn(String(turn));
    }
  }

  #bound(): void {
    while (samplesToMs(this.#samples, this.#rate) > this.#maxMs) {
      const oldest = this.#steps.findIndex((step) => step.do === 'audio');
      const [audio] = this.#steps.splice(oldest, 1);
      if (audio?.do !== 'audio') return;
      this.#samples -= audio.samples.length;
      this.#onDrop(audio.turn, samplesToMs(audio.samples.length, this.#rate));
    }
  }
}
