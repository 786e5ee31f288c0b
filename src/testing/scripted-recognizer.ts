/** A recogniser that understands what the test tells it to, when the test lets it. */
import { samplesToMs, sleep, wallClock, type Clock } from '../core/time.ts';
import type { Recognition, RecognitionStream, Recognizer } from '../speech/stt/recognizer.ts';
import type { Gate } from './gate.ts';
import { recognition, wordsSpokenAt } from './recognition.ts';
import { asScripted, Script, type Verifiable } from './script.ts';

/** What one utterance is understood as, and when. */
export interface ScriptedRecognition {
  readonly text: string;
  /** Words and their times; one after another, `wordMs` each, from the first loud sample unless given. */
  readonly words?: Recognition['words'];
  /** Length of a word, in ms; 100 unless given. */
  readonly wordMs?: number;
  /** 0…1; 0.9 unless given. */
  readonly confidence?: number;
  /** Understanding takes so long by the clock; 0 unless given. */
  readonly delayMs?: number;
  /** Understanding waits for this. */
  readonly gate?: Gate;
  /** The utterance must be at least or at most so long. */
  readonly minMs?: number;
  readonly maxMs?: number;
  /** True for a sound that is only listened to, never transcribed: it turns out to be no turn. */
  readonly misfire?: boolean;
}

/** One utterance: its text, all about it, or the error it ends with. */
export type RecognitionStep = string | ScriptedRecognition | Error;

/** Options of {@link scriptedRecognizer}. */
export interface ScriptedRecognizerOptions {
  /**
   * Where interim results come from. `by-audio`: the words of the step whose end has been heard; an opened
   * stream takes a step. `by-hand`: the test's {@link ScriptedStream.answer}. `none`: the engine can't.
   * `by-audio` unless given.
   */
  readonly interims?: 'by-audio' | 'by-hand' | 'none';
  /** What `delayMs` is counted by; the realm's own unless given. */
  readonly clock?: Clock;
  /** In hertz; 16 000 unless given. */
  readonly sampleRate?: number;
  /** Instead of loading a model; may wait or throw. */
  readonly load?: () => void | Promise<void>;
}

/** One stream that was opened. */
export interface ScriptedStream {
  /** Samples it got. */
  readonly samples: number;
  readonly closed: boolean;
  /** How often it was asked for an interim result. */
  readonly attempts: number;
  /** Attempts that wait for {@link answer}. */
  readonly waiting: number;
  /** Answers the oldest attempt that waits. Throws `expectation` when none does. */
  answer(heard: Recognition | Error): void;
}

/** The recogniser and what it saw. */
export interface ScriptedRecognizer extends Recognizer, Verifiable {
  readonly streams: readonly ScriptedStream[];
  /** The utterances it was given. */
  readonly transcribed: readonly Float32Array[];
  readonly loads: number;
  readonly disposals: number;
}

type Attempt = (heard: Recognition | Error) => void;

interface StreamState {
  samples: number;
  closed: boolean;
  attempts: number;
  onsetMs: number | undefined;
  readonly waiting: Attempt[];
  readonly step: RecognitionStep | undefined;
}

const loud = 0.01;

/**
 * A recogniser for the utterances of `script`, in order. One more is an `expectation` error; `verify()` wants
 * all of them to have been transcribed.
 *
 * @example
 * const recognizer = scriptedRecognizer(['what time is it', { text: 'mhm', misfire: true }]);
 */
export function scriptedRecognizer(
  script: readonly RecognitionStep[],
  options: ScriptedRecognizerOptions = {},
): ScriptedRecognizer {
  const { interims = 'by-audio', clock = wallClock, sampleRate = 16_000 } = options;
  const steps = new Script('the recogniser', script, describeStep);
  const streams: ScriptedStream[] = [];
  const transcribed: Float32Array[] = [];
  const done = new Set<number>();
  const counts = { loads: 0, disposals: 0 };
  /** The step of the stream that listens: the utterance that follows is the same. */
  let listening: { readonly step: RecognitionStep; readonly index: number } | undefined;

  const takeStep = (): typeof listening => {
    const step = steps.take();
    return step === undefined ? undefined : { step, index: steps.taken - 1 };
  };
  const openStream = (): RecognitionStream => {
    if (interims === 'by-audio') listening = takeStep();
    const state: StreamState = {
      samples: 0,
      closed: false,
      attempts: 0,
      onsetMs: undefined,
      waiting: [],
      step: listening?.step,
    };
    streams.push(viewOf(state, steps));
    return {
      push(samples) {
        const first = onset(samples);
        if (first !== undefined) state.onsetMs ??= samplesToMs(state.samples + first, sampleRate);
        state.samples += samples.length;
      },
      partial() {
        state.attempts += 1;
        if (interims === 'by-audio')
          return Promise.resolve(heardSoFar(state, samplesToMs(state.samples, sampleRate)));
        return new Promise((resolve, reject) => {
          state.waiting.push((heard) => (heard instanceof Error ? reject(heard) : resolve(heard)));
        });
      },
      close() {
        state.closed = true;
      },
    };
  };
  const transcribe = async (
    samples: Float32Array<ArrayBuffer>,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Recognition> => {
    transcribed.push(samples);
    const ms = Math.round(samplesToMs(samples.length, sampleRate));
    const taken = listening && !isMisfire(listening.step) ? listening : takeStep();
    listening = undefined;
    if (!taken) throw steps.tooMany(`given an utterance of ${ms} ms`);
    done.add(taken.index);
    const { step } = taken;
    if (step instanceof Error) throw step;
    if (typeof step === 'string') return understood({ text: step }, samples, sampleRate);
    const { minMs = 0, maxMs = Infinity } = step;
    if (ms < minMs || ms > maxMs) throw steps.other(step, `given an utterance of ${ms} ms`);
    await step.gate?.pass(signal);
    if (step.delayMs !== undefined) await sleep(clock, step.delayMs, signal);
    return understood(step, samples, sampleRate);
  };

  return asScripted({
    sampleRate,
    transcribed,
    streams,
    get loads() {
      return counts.loads;
    },
    get disposals() {
      return counts.disposals;
    },
    async load() {
      counts.loads += 1;
      await options.load?.();
    },
    transcribe: (samples, { signal } = {}) => transcribe(samples, signal),
    ...(interims === 'none' ? {} : { stream: openStream }),
    async dispose() {
      counts.disposals += 1;
    },
    verify: () =>
      steps.verify((step, index) => (isMisfire(step) ? index >= steps.taken : !done.has(index))),
  });
}

function isMisfire(step: RecognitionStep): boolean {
  return typeof step === 'object' && !(step instanceof Error) && step.misfire === true;
}

function describeStep(step: RecognitionStep): string {
  if (step instanceof Error) return `an utterance (to fail: ${step.message})`;
  const { text, minMs, maxMs, misfire } = typeof step === 'string' ? { text: step } : step;
  const length =
    minMs === undefined && maxMs === undefined ? '' : ` of ${minMs ?? 0}…${maxMs ?? '∞'} ms`;
  return `${misfire ? 'a sound' : 'an utterance'}${length} (${JSON.stringify(text)})`;
}

function onset(samples: Float32Array): number | undefined {
  const index = samples.findIndex((sample) => Math.abs(sample) > loud);
  return index === -1 ? undefined : index;
}

function understood(
  step: ScriptedRecognition,
  samples: Float32Array,
  sampleRate: number,
): Recognition {
  return recognition(step.text, {
    startMs: samplesToMs(onset(samples) ?? 0, sampleRate),
    ...step,
  });
}

function heardSoFar({ step, onsetMs }: StreamState, heardMs: number): Recognition {
  if (step instanceof Error) throw step;
  if (step === undefined || onsetMs === undefined) return recognition('');
  const said = typeof step === 'string' ? { text: step } : step;
  return wordsSpokenAt(recognition(said.text, { startMs: onsetMs, ...said }), heardMs);
}

function viewOf(state: StreamState, steps: Script<RecognitionStep>): ScriptedStream {
  return {
    get samples() {
      return state.samples;
    },
    get closed() {
      return state.closed;
    },
    get attempts() {
      return state.attempts;
    },
    get waiting() {
      return state.waiting.length;
    },
    answer(heard) {
      const attempt = state.waiting.shift();
      if (!attempt) throw steps.fail('the recogniser was to answer an attempt, and none waits');
      attempt(heard);
    },
  };
}
