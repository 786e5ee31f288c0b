/** Synthesised speech as short `speech` elements at the rate of the speaker. */
import { element, type SpeechElement, type WordMark } from '../../core/element.ts';
import { msToSamples } from '../../core/time.ts';
import { Resampler } from '../../audio/resample.ts';
import type { SynthesizedSpeech } from '../../speech/tts/synthesizer.ts';

/** What all pieces of a reply have in common. */
export interface PieceFacts {
  readonly turn: number;
  readonly at: number;
  readonly source: string;
}

/** Makes elements of speech; keeps its filter between sentences. */
export class SpeechPieces {
  readonly #outputRate: number | undefined;
  readonly #maxMs: number;
  #resampler: Resampler | undefined;

  /**
   * @param outputRate in hertz; undefined: the engine's own
   * @param maxMs longest piece, in milliseconds
   */
  constructor(outputRate: number | undefined, maxMs: number) {
    this.#outputRate = outputRate;
    this.#maxMs = maxMs;
  }

  /**
   * `speech`, with `pauseMs` of silence before it, in pieces that end where words end. A word longer than
   * a piece is spread over several, the last of which carries its text, so that it counts as heard when it
   * has been heard to its end. The texts of the pieces together are the text of the marks.
   */
  cut(speech: SynthesizedSpeech, facts: PieceFacts, pauseMs = 0): SpeechElement[] {
    const { samples, sampleRate, marks } = this.#converted(speech, pauseMs);
    const longest = Math.max(1, msToSamples(this.#maxMs, sampleRate));
    const pieces: SpeechElement[] = [];
    let from = 0;
    let held: WordMark[] = [];
    const add = (to: number): void => {
      const text = held.map((mark) => mark.text).join('');
      const piece = samples.slice(from, to);
      pieces.push(
        element('speech', { ...facts, samples: piece, sampleRate, text, marks: held, last: false }),
      );
      held = [];
      from = to;
    };
    const shorten = (end: number): void => {
      for (let to = from + longest; to < end; to += longest) add(to);
    };
    for (const [index, mark] of marks.entries()) {
      const end = marks[index + 1]?.offset ?? samples.length;
      if (held.length > 0 && end - from > longest) add(mark.offset);
      shorten(end);
      held.push({ text: mark.text, offset: Math.max(0, mark.offset - from) });
    }
    shorten(samples.length);
    if (held.length > 0 || from < samples.length) add(samples.length);
    return pieces;
  }

  /** The speech at the output rate, each sentence to its very last sample. */
  #converted(speech: SynthesizedSpeech, pauseMs: number): SynthesizedSpeech {
    const { samples, sampleRate, marks } = speech;
    const rate = this.#outputRate ?? sampleRate;
    const pause = samples.length === 0 ? 0 : msToSamples(pauseMs, rate);
    if (rate === sampleRate && pause === 0) return speech;
    let converted = samples;
    if (rate !== sampleRate) {
      if (this.#resampler?.inputRate !== sampleRate)
        this.#resampler = new Resampler(sampleRate, rate);
      const { maxOutput, latency } = limits(this.#resampler, samples.length);
      const output = new Float32Array(maxOutput + latency);
      const written = this.#resampler.process(samples, output);
      converted = output.subarray(0, written + this.#resampler.flush(output.subarray(written)));
    }
    const all = new Float32Array(pause + converted.length);
    all.set(converted, pause);
    const scaled = marks.map((mark) => ({
      text: mark.text,
      offset: Math.min(all.length, pause + Math.round((mark.offset * rate) / sampleRate)),
    }));
    return { samples: all, sampleRate: rate, marks: scaled };
  }
}

function limits(resampler: Resampler, length: number): { maxOutput: number; latency: number } {
  return {
    maxOutput: resampler.maxOutput(length),
    latency: resampler.maxOutput(resampler.latency),
  };
}
