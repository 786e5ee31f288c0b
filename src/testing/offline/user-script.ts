/** The person in an offline conversation: what they say, and when, sample by sample. */
import type { AgentState } from '../../agent/events.ts';
import { resample } from '../../audio/resample.ts';
import type { Recording } from '../../audio/wav.ts';
import { AntiphonError } from '../../core/errors.ts';
import { msToSamples } from '../../core/time.ts';

/** What a person can notice while they wait. */
export interface Scene {
  /** Audio time, ms. */
  readonly nowMs: number;
  readonly state: AgentState;
  /** The turn whose reply is being heard; undefined while there is none. */
  readonly speaking: number | undefined;
  /** What was heard of that reply, or of the last one. */
  readonly heard: string;
  /** Turns, spoken or typed, whose replies have not come to an end, heard or cut. */
  readonly openTurns: number;
}

/** A step of the person; made by {@link user}. */
export type UserStep =
  | { readonly type: 'says'; readonly text: string; readonly ms: number | undefined }
  | { readonly type: 'plays'; readonly recording: Recording }
  | { readonly type: 'pauses'; readonly ms: number }
  | { readonly type: 'types'; readonly text: string }
  | { readonly type: 'announces'; readonly text: string }
  | { readonly type: 'answers'; readonly callId: string; readonly result: unknown }
  | { readonly type: 'does'; readonly what: string; readonly act: () => void }
  | {
      readonly type: 'waits';
      readonly what: string;
      readonly limitMs: number;
      readonly until: (scene: Scene) => boolean;
    };

/** Makes the steps of a person. */
export interface UserSteps {
  /** Says something in the language of tones, in `ms` altogether: 350 a word unless given. */
  says(text: string, ms?: number): UserStep;
  /** Is heard as in a recording, of any rate. */
  plays(recording: Recording): UserStep;
  /** Is silent for so long. */
  pauses(ms: number): UserStep;
  /** Types something instead of saying it. */
  types(text: string): UserStep;
  /** The page makes the assistant say something, as `agent.say` does. */
  announces(text: string): UserStep;
  /** The page answers a call whose tool gave `answerLater`. */
  answers(callId: string, result: unknown): UserStep;
  /** Listens, silently, until that many words of a reply were heard. */
  hears(words: number): UserStep;
  /** Listens until everything that was said has been answered, and the answers were heard. */
  hearsAll(): UserStep;
  /** Is silent until something happens; `limitMs` of audio in vain, 30 000 unless given, are an `expectation` error. */
  waits(what: string, until: (scene: Scene) => boolean, limitMs?: number): UserStep;
  /** Does something of the test's: opens a gate, exchanges a model. */
  does(what: string, act: () => void): UserStep;
}

const patienceMs = 30_000;

const waits: UserSteps['waits'] = (what, until, limitMs = patienceMs) => ({
  type: 'waits',
  what,
  until,
  limitMs,
});

/** Steps of a person by name. */
export const user: UserSteps = {
  says: (text, ms) => ({ type: 'says', text, ms }),
  plays: (recording) => ({ type: 'plays', recording }),
  pauses: (ms) => ({ type: 'pauses', ms }),
  types: (text) => ({ type: 'types', text }),
  announces: (text) => ({ type: 'announces', text }),
  answers: (callId, result) => ({ type: 'answers', callId, result }),
  hears: (words) =>
    waits(
      words === 1 ? 'hears a word' : `hears ${words} words`,
      ({ speaking, heard }) => speaking !== undefined && countWords(heard) >= words,
    ),
  hearsAll: () =>
    waits('hears all', ({ openTurns, speaking }) => openTurns === 0 && speaking === undefined),
  waits,
  does: (what, act) => ({ type: 'does', what, act }),
};

/** What the steps of a person are carried out with. */
export interface UserMeans {
  /** Of the microphone, in hertz. */
  readonly sampleRate: number;
  say(text: string, ms: number | undefined): Recording;
  type(text: string): void;
  announce(text: string): void;
  answer(callId: string, result: unknown): void;
  scene(): Scene;
  /** Told of each step as it begins. */
  onStep(step: string): void;
}

interface Waiting {
  readonly step: Extract<UserStep, { type: 'waits' }>;
  readonly sinceMs: number;
}

/** Plays steps into a microphone. */
export class UserScript {
  readonly #steps: readonly UserStep[];
  readonly #means: UserMeans;
  #next = 0;
  #sound: Float32Array = new Float32Array(0);
  #position = 0;
  #silence = 0;
  #waiting: Waiting | undefined;

  constructor(steps: readonly UserStep[], means: UserMeans) {
    this.#steps = steps;
    this.#means = means;
  }

  /** True when every step was carried out. */
  get done(): boolean {
    return this.#next >= this.#steps.length && !this.#busy;
  }

  /** Writes into a block what the microphone hears. Throws `expectation` when the person waited in vain. */
  hear(block: Float32Array): void {
    block.fill(0);
    for (let at = 0; at < block.length;) {
      if (this.#waiting && !this.#isOver(this.#waiting)) return;
      if (!this.#busy && !this.#begin()) return;
      if (this.#waiting) continue;
      const quiet = Math.min(this.#silence, block.length - at);
      this.#silence -= quiet;
      at += quiet;
      const loud = this.#sound.subarray(this.#position, this.#position + block.length - at);
      block.set(loud, at);
      this.#position += loud.length;
      at += loud.length;
    }
  }

  get #busy(): boolean {
    return this.#waiting !== undefined || this.#silence > 0 || this.#position < this.#sound.length;
  }

  /** Begins the next step; false when there is none. */
  #begin(): boolean {
    const step = this.#steps[this.#next];
    if (!step) return false;
    this.#next += 1;
    this.#means.onStep(described(step));
    switch (step.type) {
      case 'says':
        this.#play(this.#means.say(step.text, step.ms));
        break;
      case 'plays':
        this.#play(step.recording);
        break;
      case 'pauses':
        this.#silence = msToSamples(step.ms, this.#means.sampleRate);
        break;
      case 'types':
        this.#means.type(step.text);
        break;
      case 'announces':
        this.#means.announce(step.text);
        break;
      case 'answers':
        this.#means.answer(step.callId, step.result);
        break;
      case 'does':
        step.act();
        break;
      case 'waits':
        this.#waiting = { step, sinceMs: this.#means.scene().nowMs };
        break;
    }
    return true;
  }

  #play({ samples, sampleRate }: Recording): void {
    const rate = this.#means.sampleRate;
    this.#sound = sampleRate === rate ? samples : resample(samples, sampleRate, rate);
    this.#position = 0;
  }

  #isOver({ step, sinceMs }: Waiting): boolean {
    const scene = this.#means.scene();
    if (step.until(scene)) {
      this.#waiting = undefined;
      return true;
    }
    if (scene.nowMs - sinceMs <= step.limitMs) return false;
    throw new AntiphonError(
      'expectation',
      `the person waited ${step.limitMs} ms in vain: ${step.what}`,
      { hint: 'See the log for what happened instead.' },
    );
  }
}

function described(step: UserStep): string {
  switch (step.type) {
    case 'says':
    case 'types':
    case 'announces':
      return `${step.type} ${JSON.stringify(step.text)}`;
    case 'answers':
      return `answers ${step.callId} with ${JSON.stringify(step.result)}`;
    case 'plays':
      return `plays ${Math.round((step.recording.samples.length * 1000) / step.recording.sampleRate)} ms`;
    case 'pauses':
      return `pauses ${step.ms} ms`;
    case 'does':
      return `does ${step.what}`;
    default:
      return step.what;
  }
}

function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}
