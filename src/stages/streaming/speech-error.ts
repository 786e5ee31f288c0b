/** Trouble with one sentence: tried again where that may help, otherwise told and left behind. */
import { element, type ErrorElement } from '../../core/element.ts';
import { AntiphonError, serializeError, toAntiphonError } from '../../core/errors.ts';
import { sleep, type Clock } from '../../core/time.ts';
import { estimateMarks } from '../../speech/tts/estimate-marks.ts';
import { speakable } from '../../speech/tts/speakable.ts';
import type { SynthesizedSpeech, Synthesizer } from '../../speech/tts/synthesizer.ts';
import type { PieceFacts } from './speech-pieces.ts';

/** How often and how patiently to try again; only errors that say `retryable` are. */
export interface SpeechRetry {
  /** Attempts in all. Default 3. */
  readonly attempts?: number;
  /** First wait in ms; doubles with each further one. Default 250. */
  readonly delayMs?: number;
  /** Longest wait in ms. Default 2000. */
  readonly maxDelayMs?: number;
}

/** `synthesizer.synthesize(text)`, tried again as `retry` allows, waiting by `clock`. Rejects with an `AntiphonError`. */
export async function synthesizeWithRetry(
  synthesizer: Synthesizer,
  text: string,
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Clock },
  retry: SpeechRetry = {},
): Promise<SynthesizedSpeech> {
  const { attempts = 3, delayMs = 250, maxDelayMs = 2000 } = retry;
  for (let attempt = 1; ; attempt += 1)
    try {
      return marked(text, await synthesizer.synthesize(text, { signal }));
    } catch (thrown) {
      const error = toAntiphonError(thrown, 'model-run');
      if (signal.aborted || !error.retryable || attempt >= attempts) throw error;
      await sleep(clock, Math.min(maxDelayMs, delayMs * 2 ** (attempt - 1)), signal);
    }
}

/** Where a voice does not tell where its words are, they are estimated: without, nothing would count as heard. */
function marked(text: string, speech: SynthesizedSpeech): SynthesizedSpeech {
  if (speech.marks.length > 0) return speech;
  const { samples, sampleRate } = speech;
  return { ...speech, marks: estimateMarks(speakable(text), samples, sampleRate) };
}

/** The `error` element for a sentence that could not be spoken. */
export function speechError(thrown: unknown, text: string, facts: PieceFacts): ErrorElement {
  const error = toAntiphonError(thrown, 'model-run');
  const named = new AntiphonError(error.code, error.message, {
    hint: error.hint || 'The sentence was left out; the rest of the reply is spoken.',
    retryable: error.retryable,
    stage: facts.source,
    details: { ...error.details, text },
    ...(error.cause === undefined ? {} : { cause: error.cause }),
  });
  return element('error', { ...facts, error: serializeError(named) });
}
