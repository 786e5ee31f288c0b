/** A recogniser that says what the test tells it to, when the test lets it. */
import type {
  Recognition,
  RecognitionStream,
  Recognizer,
} from '../../../src/speech/stt/recognizer.ts';

/** One open stream. */
export interface ScriptedStream {
  samples: number;
  closed: boolean;
  /** Attempts that wait for an answer. */
  readonly waiting: ((heard: Recognition | Error) => void)[];
  attempts: number;
}

/** The recogniser and what it saw. */
export interface ScriptedRecognizer extends Recognizer {
  readonly streams: ScriptedStream[];
  readonly transcribed: Float32Array[];
  readonly loads: number;
}

/** Words of 100 ms each, one after another. */
export function heard(text: string, confidence = 0.9): Recognition {
  const words = text
    .split(' ')
    .filter((word) => word !== '')
    .map((word, index) => ({ text: word, start: index * 100, end: index * 100 + 100 }));
  return { text, words, confidence };
}

/** `answers` are given to `transcribe` one after another: a recognition, or an error to throw. */
export function scriptedRecognizer(
  answers: readonly (Recognition | Error)[],
  options: { readonly streaming?: boolean } = {},
): ScriptedRecognizer {
  const queue = [...answers];
  const streams: ScriptedStream[] = [];
  const transcribed: Float32Array[] = [];
  let loads = 0;
  const openStream = (): RecognitionStream => {
    const state: ScriptedStream = { samples: 0, closed: false, waiting: [], attempts: 0 };
    streams.push(state);
    return {
      push(samples) {
        state.samples += samples.length;
      },
      partial: () =>
        new Promise((resolve, reject) => {
          state.attempts++;
          state.waiting.push((answer) =>
            answer instanceof Error ? reject(answer) : resolve(answer),
          );
        }),
      close() {
        state.closed = true;
      },
    };
  };
  return {
    sampleRate: 16_000,
    streams,
    transcribed,
    get loads() {
      return loads;
    },
    load() {
      loads++;
      return Promise.resolve();
    },
    transcribe(samples) {
      transcribed.push(samples);
      const answer = queue.shift();
      if (answer === undefined) return Promise.reject(new Error('the script is over'));
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    ...(options.streaming === false ? {} : { stream: openStream }),
    dispose: () => Promise.resolve(),
  };
}
