/** Text to speech by an OpenAI-compatible server, for voices that no browser could hold. */
import { AntiphonError, toAntiphonError } from '../../core/errors.ts';
import type { Credentials } from '../../providers/http/credentials.ts';
import { endpoint } from '../../providers/http/endpoint.ts';
import { Exchange, patient } from '../../providers/http/exchange.ts';
import { estimateMarks, trimSilence } from './estimate-marks.ts';
import { decodePcm16, decodeWavPcm16, isWav, type DecodedSpeech } from './pcm16.ts';
import { speakable } from './speakable.ts';
import type { SynthesizedSpeech, Synthesizer } from './synthesizer.ts';

const missing =
  'Check that `baseURL` ends where `/audio/speech` begins and that the model and the voice exist there.';

/** What {@link remoteSynthesizer} needs to know; nothing but address, model and voice is required. */
export interface RemoteSynthesizerOptions extends Credentials {
  /** Where `/audio/speech` begins, e.g. `https://api.openai.com/v1`; may carry a query string. */
  readonly baseURL: string;
  readonly model: string;
  /** The server's name of the voice. */
  readonly voice: string;
  /** What to ask the server for; `pcm` unless given. A WAV file is understood whichever was asked for. */
  readonly responseFormat?: 'pcm' | 'wav';
  /** Rate of `pcm` answers, which do not tell it, in hertz; 24 000 unless given. */
  readonly sampleRate?: number;
  /** Speed, 0.25…4; the server's own unless given. */
  readonly speed?: number;
  /** How to speak, for models that can be told. */
  readonly instructions?: string;
  /** Instead of the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Patience until the answer, and between two pieces of it, in ms; 30 000 unless given. */
  readonly timeoutMs?: number;
}

/**
 * Makes a voice that posts each sentence (OpenAI's `/audio/speech`, 16-bit PCM or WAV). It loads nothing and
 * sends no text without words. Such servers give no times of words: the marks are an estimate, see
 * `estimateMarks`. Silence around the speech is trimmed.
 * Errors: `provider-auth`, `provider-rate-limit`, `provider-overloaded`, `provider-request`, `provider-timeout`,
 * `provider-network`, `provider-protocol`, `aborted`.
 *
 * @example
 * const voice = remoteSynthesizer({ baseURL: 'http://localhost:8880/v1', model: 'kokoro', voice: 'af_heart' });
 */
export function remoteSynthesizer(options: RemoteSynthesizerOptions): Synthesizer {
  return {
    load: () => Promise.resolve(),
    async synthesize(text, { signal = new AbortController().signal } = {}) {
      if (signal.aborted) throw toAntiphonError(signal.reason, 'aborted');
      const words = speakable(text);
      const input = words
        .map((word) => word.spoken)
        .filter((spoken) => spoken !== '')
        .join(' ');
      const sampleRate = options.sampleRate ?? 24_000;
      const speech: DecodedSpeech =
        input === ''
          ? { samples: new Float32Array(0), sampleRate }
          : await ask(options, input, signal);
      return marked(words, speech);
    },
    dispose: () => Promise.resolve(),
  };
}

function marked(words: ReturnType<typeof speakable>, speech: DecodedSpeech): SynthesizedSpeech {
  const { sampleRate } = speech;
  const samples = trimSilence(speech.samples, sampleRate);
  return { samples, sampleRate, marks: estimateMarks(words, samples, sampleRate) };
}

async function ask(
  options: RemoteSynthesizerOptions,
  input: string,
  signal: AbortSignal,
): Promise<DecodedSpeech> {
  const call = {
    url: endpoint(options.baseURL, '/audio/speech'),
    body: requestOf(options, input),
    missing,
  };
  const exchange = await Exchange.open(patient(options), call, signal);
  try {
    return decode(exchange, await exchange.bytes(), options.sampleRate ?? 24_000);
  } catch (error) {
    throw exchange.masked(error);
  } finally {
    exchange.close();
  }
}

function requestOf(options: RemoteSynthesizerOptions, input: string): Record<string, unknown> {
  const { model, voice, responseFormat = 'pcm', speed, instructions } = options;
  return {
    model,
    voice,
    input,
    response_format: responseFormat,
    ...(speed === undefined ? {} : { speed }),
    ...(instructions === undefined ? {} : { instructions }),
  };
}

function decode(
  { contentType: type, where }: Exchange,
  bytes: Uint8Array<ArrayBuffer>,
  sampleRate: number,
): DecodedSpeech {
  const problem = (what: string, cause?: unknown): AntiphonError =>
    new AntiphonError('provider-protocol', `${where} answered with ${what}.`, {
      hint: 'Ask the server for `pcm` or `wav` of 16 bits by `responseFormat`.',
      details: { url: where, contentType: type },
      ...(cause === undefined ? {} : { cause }),
    });
  if (bytes.length < 2) throw problem('no audio');
  try {
    if (isWav(bytes)) return decodeWavPcm16(bytes);
  } catch (error) {
    throw problem('a WAV file that can not be read', error);
  }
  if (/json|html|text|mpeg|mp3|ogg|opus|aac|flac/i.test(type)) throw problem(type);
  return { samples: decodePcm16(bytes), sampleRate };
}
