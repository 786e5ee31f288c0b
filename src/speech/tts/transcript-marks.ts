/**
 * Marks for speech that comes with a transcript but without times, both in fragments, as realtime models give
 * them: text mostly ahead, speech faster than real time. While either is unfinished the words are spread by a
 * typical pace over what sounds; once both are complete the rest is estimated from the audio itself.
 */
import type { WordMark } from '../../core/element.ts';
import { samplesToMs } from '../../core/time.ts';
import { estimateMarks, wordWeight } from './estimate-marks.ts';
import { speakable } from './speakable.ts';

/** Weight of words per ms of sound at a typical pace, about 170 words a minute. */
const pace = 0.022;

const frameMs = 10;
/** Louder than −50 dB full scale sounds. */
const leastPower = 1e-5;

/** Assigns a growing text to a growing stream of speech; each word goes to the piece in which it ends. */
export class TranscriptMarks {
  #rest = '';
  /** Weight the speech so far had room for, and what of it the assigned words took. */
  #room = 0;
  #taken = 0;

  /** More of the text. */
  add(text: string): void {
    this.#rest += text;
  }

  /** Text that no speech has been given for. */
  get rest(): string {
    return this.#rest;
  }

  /** Marks for the next piece; more of text or speech may follow. */
  next(samples: Float32Array, sampleRate: number): WordMark[] {
    const before = this.#room;
    this.#room += soundingMs(samples, sampleRate) * pace;
    const gained = this.#room - before;
    const marks: WordMark[] = [];
    for (const { text, spoken } of this.#wholeWords()) {
      const end = this.#taken + wordWeight(spoken);
      if (end > this.#room) break;
      const share = gained === 0 ? 0 : Math.max(0, this.#taken - before) / gained;
      marks.push({ text, offset: Math.min(samples.length, Math.round(share * samples.length)) });
      this.#taken = end;
      this.#rest = this.#rest.slice(text.length);
    }
    return marks;
  }

  /** Marks for all the speech that is left: it says the whole rest of the text. */
  last(samples: Float32Array, sampleRate: number): WordMark[] {
    const words = speakable(this.#rest);
    this.#rest = '';
    this.#taken = this.#room;
    return words.length === 0 ? [] : estimateMarks(words, samples, sampleRate);
  }

  /** The text that is left, which nobody spoke, or whose speech was over before it came. */
  takeRest(): string {
    const rest = this.#rest;
    this.#rest = '';
    return rest;
  }

  /** Words that are known to their end. */
  #wholeWords(): ReturnType<typeof speakable> {
    const words = speakable(this.#rest);
    return /\s$/.test(this.#rest) ? words : words.slice(0, -1);
  }
}

function soundingMs(samples: Float32Array, sampleRate: number): number {
  const length = Math.max(1, Math.round((sampleRate * frameMs) / 1000));
  let sounding = 0;
  for (let from = 0; from < samples.length; from += length) {
    const to = Math.min(samples.length, from + length);
    let power = 0;
    for (let index = from; index < to; index += 1) power += (samples[index] ?? 0) ** 2;
    if (power / (to - from) > leastPower) sounding += to - from;
  }
  return samplesToMs(sounding, sampleRate);
}
