/** Conversations of any kind for the property tests: who says what when, and how fast and how well the engines work. */
import * as fc from 'fast-check';
import { AntiphonError } from '../../src/core/errors.ts';
import type { Provider } from '../../src/providers/provider.ts';
import type { Recognition, Recognizer } from '../../src/speech/stt/recognizer.ts';
import type { Synthesizer } from '../../src/speech/tts/synthesizer.ts';
import { sleep } from '../../src/core/time.ts';
import { asScripted } from '../../src/testing/script.ts';
import {
  fakeClock,
  reply,
  scriptedProvider,
  toneLanguage,
  user,
  type OfflineOptions,
  type ToneLanguage,
  type UserStep,
} from '../../src/testing/index.ts';

const names = ['alpha', 'bravo', 'charlie', 'delta', 'echo', 'foxtrot', 'golf', 'hotel'];
const sentence = fc
  .array(fc.constantFrom(...names, 'stop', 'no', 'wait'), { minLength: 1, maxLength: 6 })
  .map((some) => some.join(' '));
/** The recogniser of these conversations knows that it is no word. */
const noise = 'cough';

/** What the person does. */
type Deed =
  | { readonly does: 'says'; readonly text: string; readonly wordMs: number }
  | { readonly does: 'pauses'; readonly ms: number }
  | { readonly does: 'hears'; readonly words: number }
  | { readonly does: 'hears all' }
  | { readonly does: 'types' | 'announces'; readonly text: string };

const says = (text: fc.Arbitrary<string>, min: number, max: number): fc.Arbitrary<Deed> =>
  fc.record({
    does: fc.constant('says' as const),
    text,
    wordMs: fc.integer({ min, max }),
  });
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 5, arbitrary: says(sentence, 120, 450) },
  { weight: 2, arbitrary: says(fc.constantFrom('mhm', 'yeah', 'mhm mhm', 'yeah okay'), 120, 400) },
  { weight: 1, arbitrary: says(fc.constant(noise), 60, 700) },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('pauses' as const),
      ms: fc.integer({ min: 30, max: 2500 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ does: 'hears all' }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('hears' as const),
      words: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: sentence.map((text) => ({ does: 'types' as const, text })),
  },
  {
    weight: 1,
    arbitrary: sentence.map((text) => ({ does: 'announces' as const, text: `${text}. ` })),
  },
);

const answer = fc.record({
  text: fc.array(sentence, { maxLength: 6 }).map((some) => some.map((one) => `${one}. `).join('')),
  waitMs: fc.integer({ min: 0, max: 2500 }),
  fails: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
});
/** Mostly none at all, sometimes seconds. */
const delay = fc.oneof(fc.constant(0), fc.nat(300), fc.nat(2500));
/** Fails at every so many calls; 0: never. */
const failing = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 2, max: 6 }) },
);

/** One conversation. */
export interface Scenario {
  readonly deeds: readonly Deed[];
  readonly answers: readonly { text: string; waitMs: number; fails: boolean }[];
  readonly recognizerMs: number;
  readonly synthesizerMs: number;
  /** How long an interim takes. */
  readonly interimMs: number;
  readonly recognizerFails: number;
  readonly voiceFails: number;
  readonly sampleRate: number;
}

/** Any conversation. */
export const scenario: fc.Arbitrary<Scenario> = fc.record({
  deeds: fc.array(deed, { minLength: 1, maxLength: 9 }),
  answers: fc.array(answer, { minLength: 1, maxLength: 4 }),
  recognizerMs: delay,
  synthesizerMs: delay,
  interimMs: fc.oneof(fc.constant(0), fc.nat(250)),
  recognizerFails: failing,
  voiceFails: failing,
  sampleRate: fc.constantFrom(16_000, 24_000, 44_100, 48_000),
});

/** Words of a text, but for noise. */
export function plain(text: string): string[] {
  return (text.toLowerCase().match(/[a-z]+/g) ?? []).filter((word) => word !== noise);
}

function stepOf(one: Deed): UserStep {
  switch (one.does) {
    case 'says':
      return user.says(one.text, one.text.split(' ').length * one.wordMs);
    case 'pauses':
      return user.pauses(one.ms);
    case 'types':
      return user.types(one.text);
    case 'announces':
      return user.announces(one.text);
    case 'hears all':
      return user.hearsAll();
    default:
      return user.waits(
        `hears ${one.words} words, or that there are none`,
        ({ speaking, heard, openTurns }) =>
          speaking === undefined ? openTurns === 0 : plain(heard).length >= one.words,
      );
  }
}

/** A scenario about to be played. */
export interface Cast {
  readonly options: OfflineOptions;
  readonly language: ToneLanguage;
  /** What the recogniser refused to understand. */
  readonly refused: readonly string[];
}

/** Engines and steps of a scenario. */
export function cast(given: Scenario): Cast {
  const clock = fakeClock();
  const language = toneLanguage();
  const refused: string[] = [];
  let asked = 0;
  const provider = (): Provider => {
    const { text, waitMs, fails } = given.answers[asked++ % given.answers.length] ?? {
      text: '',
      waitMs: 0,
      fails: false,
    };
    const words = fails ? [new Error('the model is down')] : (text.match(/\S+\s*/g) ?? []);
    return scriptedProvider([[reply.wait(waitMs), ...words]], { clock });
  };
  let understood = 0;
  const known = ({ words, confidence }: Recognition): Recognition => {
    const spoken = words.filter(({ text }) => text !== noise);
    return { text: spoken.map(({ text }) => text).join(' '), words: spoken, confidence };
  };
  const { recognizer, synthesizer } = language;
  const listener: Recognizer = asScripted({
    sampleRate: recognizer.sampleRate,
    load: () => recognizer.load(),
    dispose: () => recognizer.dispose(),
    async transcribe(samples) {
      const heard = known(await recognizer.transcribe(samples));
      understood += 1;
      if (understood % given.recognizerFails !== 0) return heard;
      refused.push(...plain(heard.text));
      throw new AntiphonError('model-run', 'the recogniser is down');
    },
    stream() {
      const stream = recognizer.stream?.();
      return {
        push: (samples) => stream?.push(samples),
        close: () => stream?.close(),
        async partial({ signal = new AbortController().signal } = {}) {
          const heard = await stream?.partial();
          if (given.interimMs > 0) await sleep(clock, given.interimMs, signal);
          return known(heard ?? { text: '', words: [], confidence: 0 });
        },
      };
    },
  });
  let spoken = 0;
  const voice: Synthesizer = asScripted({
    load: () => synthesizer.load(),
    dispose: () => synthesizer.dispose(),
    async synthesize(text) {
      spoken += 1;
      if (spoken % given.voiceFails === 0) throw new AntiphonError('model-run', 'no voice');
      return synthesizer.synthesize(text);
    },
  });
  const options: OfflineOptions = {
    user: given.deeds.map(stepOf),
    provider,
    clock,
    language,
    recognizer: listener,
    synthesizer: voice,
    latency: { recognizerMs: given.recognizerMs, synthesizerMs: given.synthesizerMs },
    sampleRate: given.sampleRate,
    limitMs: 200_000,
  };
  return { options, language, refused };
}
