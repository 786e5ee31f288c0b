/** Speech to text by an OpenAI-compatible server: for browsers that local models don't fit into. */
import { encodeWav } from '../../audio/wav.ts';
import { toAntiphonError } from '../../core/errors.ts';
import type { Credentials } from '../../providers/http/credentials.ts';
import { endpoint } from '../../providers/http/endpoint.ts';
import { Exchange, patient } from '../../providers/http/exchange.ts';
import { nothingHeard } from './ctc/spoken-words.ts';
import type { Recognition, Recognizer } from './recognizer.ts';
import { readTranscription } from './remote-transcription.ts';
import { checkSpeech, isAudible, speechSampleRate } from './speech-samples.ts';

const missing =
  'Check that `baseURL` ends where `/audio/transcriptions` begins and that the model exists there.';

/** What {@link remoteRecognizer} needs to know; nothing but the address and the model is required. */
export interface RemoteRecognizerOptions extends Credentials {
  /** Where `/audio/transcriptions` begins, e.g. `https://api.openai.com/v1`; may carry a query string. */
  readonly baseURL: string;
  readonly model: string;
  /** ISO 639-1 code of the language spoken; the server guesses unless given. */
  readonly language?: string;
  /** Names and words to expect, for servers that take a hint. */
  readonly prompt?: string;
  /** `verbose_json` asks for times of words and confidences, which not every server has. `json` unless given. */
  readonly responseFormat?: 'json' | 'verbose_json';
  /** Instead of the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Patience until the answer, in ms; 30 000 unless given. */
  readonly timeoutMs?: number;
}

/**
 * Makes a recogniser that posts each utterance as a WAV file (multipart, OpenAI's `/audio/transcriptions`). It
 * loads nothing, gives no interims, sends silence to nobody, and runs requests side by side. Words have
 * times only with `verbose_json`; without confidences from the server, text counts as certain (1).
 * Errors: `provider-auth`, `provider-rate-limit`, `provider-overloaded`, `provider-request`, `provider-timeout`,
 * `provider-network`, `provider-protocol`, `invalid-argument`, `aborted`.
 *
 * @example
 * const recognizer = remoteRecognizer({ baseURL: 'http://localhost:11434/v1', model: 'whisper' });
 */
export function remoteRecognizer(options: RemoteRecognizerOptions): Recognizer {
  return {
    sampleRate: speechSampleRate,
    load: () => Promise.resolve(),
    async transcribe(samples, { signal = new AbortController().signal } = {}) {
      checkSpeech(samples);
      if (signal.aborted) throw toAntiphonError(signal.reason, 'aborted');
      return isAudible(samples) ? ask(options, samples, signal) : nothingHeard;
    },
    dispose: () => Promise.resolve(),
  };
}

async function ask(
  options: RemoteRecognizerOptions,
  samples: Float32Array,
  signal: AbortSignal,
): Promise<Recognition> {
  const call = {
    url: endpoint(options.baseURL, '/audio/transcriptions'),
    body: form(options, samples),
    missing,
  };
  const exchange = await Exchange.open(patient(options), call, signal);
  try {
    return readTranscription(await exchange.text(), exchange.where);
  } catch (error) {
    throw exchange.masked(error);
  } finally {
    exchange.close();
  }
}

function form(options: RemoteRecognizerOptions, samples: Float32Array): FormData {
  const { model, language, prompt, responseFormat = 'json' } = options;
  const fields = new FormData();
  const wav = new Blob([encodeWav(samples, speechSampleRate)], { type: 'audio/wav' });
  fields.append('file', wav, 'utterance.wav');
  fields.append('model', model);
  fields.append('response_format', responseFormat);
  if (responseFormat === 'verbose_json') fields.append('timestamp_granularities[]', 'word');
  if (language !== undefined) fields.append('language', language);
  if (prompt !== undefined) fields.append('prompt', prompt);
  return fields;
}
