/** A voice whose every sample is known beforehand. */
import { sleep, wallClock, type Clock } from '../core/time.ts';
import type { SynthesizedSpeech, Synthesizer } from '../speech/tts/synthesizer.ts';
import type { Gate } from './gate.ts';
import { asScripted, fits, Script, shown, type Verifiable } from './script.ts';
import { toneSpeech } from './tone-speech.ts';

/** What is to be spoken, and how it goes. */
export interface ScriptedSpeech {
  /** The text it must be given; any unless given. */
  readonly text?: string | RegExp;
  /** Speaking takes so long by the clock; 0 unless given. */
  readonly delayMs?: number;
  /** Speaking waits for this. */
  readonly gate?: Gate;
  /** It fails with this. */
  readonly error?: Error;
  /** What comes out; `speak` decides unless given. */
  readonly speech?: SynthesizedSpeech;
}

/** One text to be spoken. */
export type SpeechStep = string | RegExp | ScriptedSpeech;

/** Called before each text is spoken, with the number of the call from 1; may throw or wait. */
export type SpeechHook = (text: string, call: number) => void | Promise<void>;

/** Options of {@link scriptedSynthesizer}. */
export interface ScriptedSynthesizerOptions {
  /** Makes speech of a text; a tone per word, 200 ms each at 16 000 Hz, unless given. */
  readonly speak?: (text: string) => SynthesizedSpeech;
  /** What `delayMs` is counted by; the realm's own unless given. */
  readonly clock?: Clock;
  /** Instead of loading a voice; may wait or throw. */
  readonly load?: () => void | Promise<void>;
}

/** The voice and what it was asked. */
export interface ScriptedSynthesizer extends Synthesizer, Verifiable {
  /** The texts it was given, in order. */
  readonly spoken: readonly string[];
  /** How many of them were given up by their signal. */
  readonly cancelled: number;
  readonly loads: number;
  readonly disposals: number;
}

/**
 * A voice for tests. With a list it is strict: it must be given those texts, in order; one that is not
 * expected is an `expectation` error. Without, it speaks everything.
 *
 * @example
 * const voice = scriptedSynthesizer(['It is noon. ', { text: 'Anything else?', error: new Error('no voice') }]);
 */
export function scriptedSynthesizer(
  script: readonly SpeechStep[] | SpeechHook = () => undefined,
  options: ScriptedSynthesizerOptions = {},
): ScriptedSynthesizer {
  const { speak = toneSpeech, clock = wallClock, load } = options;
  const hook = typeof script === 'function' ? script : undefined;
  const steps = new Script(
    'the voice',
    (typeof script === 'function' ? [] : script).map(whole),
    ({ text }) => (text === undefined ? 'a text' : `to speak ${shown(text)}`),
  );
  const spoken: string[] = [];
  const counts = { cancelled: 0, loads: 0, disposals: 0 };
  const perform = async (text: string, signal: AbortSignal): Promise<SynthesizedSpeech> => {
    await hook?.(text, spoken.length);
    const step: ScriptedSpeech | undefined = hook ? {} : steps.take();
    if (!step) throw steps.tooMany(`to speak ${JSON.stringify(text)}`);
    if (step.text !== undefined && !fits(step.text, text))
      throw steps.other(step, `to speak ${JSON.stringify(text)}`);
    await step.gate?.pass(signal);
    if (step.delayMs !== undefined) await sleep(clock, step.delayMs, signal);
    if (step.error) throw step.error;
    signal.throwIfAborted();
    return step.speech ?? speak(text);
  };
  return asScripted({
    spoken,
    get cancelled() {
      return counts.cancelled;
    },
    get loads() {
      return counts.loads;
    },
    get disposals() {
      return counts.disposals;
    },
    async load() {
      counts.loads += 1;
      await load?.();
    },
    async synthesize(text, { signal = new AbortController().signal } = {}) {
      spoken.push(text);
      try {
        return await perform(text, signal);
      } catch (error) {
        if (signal.aborted) counts.cancelled += 1;
        throw error;
      }
    },
    async dispose() {
      counts.disposals += 1;
    },
    verify: () => steps.verify(),
  });
}

function whole(step: SpeechStep): ScriptedSpeech {
  return typeof step === 'string' || step instanceof RegExp ? { text: step } : step;
}
