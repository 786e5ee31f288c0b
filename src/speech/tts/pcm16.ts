/** 16-bit PCM, as engines and servers give it, to float samples. */
import { AntiphonError } from '../../core/errors.ts';

/** Mono samples and their rate. */
export interface DecodedSpeech {
  readonly samples: Float32Array<ArrayBuffer>;
  /** In hertz. */
  readonly sampleRate: number;
}

/** Little-endian signed 16-bit samples as floats, −1…1; an odd last byte is ignored. */
export function decodePcm16(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const samples = new Float32Array(bytes.byteLength >> 1);
  for (let i = 0; i < samples.length; i += 1) samples[i] = view.getInt16(i * 2, true) / 32768;
  return samples;
}

/** True when `bytes` begin as a RIFF WAVE file does. */
export function isWav(bytes: Uint8Array): boolean {
  return bytes.length >= 12 && tag(bytes, 0) === 'RIFF' && tag(bytes, 8) === 'WAVE';
}

/**
 * The samples of a RIFF WAVE file of 16-bit PCM, channels averaged. A data chunk whose length is wrong
 * (streamed files say 0 or 2³²−1) reaches to the end of the file. Errors: `model-run`.
 */
export function decodeWavPcm16(bytes: Uint8Array): DecodedSpeech {
  if (!isWav(bytes)) throw broken('it is not a RIFF WAVE file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: { readonly channels: number; readonly sampleRate: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = tag(bytes, at);
    const length = view.getUint32(at + 4, true);
    const start = at + 8;
    if (id === 'fmt ' && start + 16 <= bytes.length) {
      const channels = view.getUint16(start + 2, true);
      if (view.getUint16(start + 14, true) !== 16 || channels === 0)
        throw broken('it is not 16-bit PCM');
      format = { channels, sampleRate: view.getUint32(start + 4, true) };
    } else if (id === 'data') {
      if (format === undefined || format.sampleRate === 0) break;
      const wrong = length === 0 || start + length > bytes.length;
      const end = wrong ? bytes.length : start + length;
      const interleaved = decodePcm16(bytes.subarray(start, end));
      return { samples: toMono(interleaved, format.channels), sampleRate: format.sampleRate };
    }
    at = start + length + (length & 1);
  }
  throw broken('it has no format or no data');
}

function toMono(samples: Float32Array<ArrayBuffer>, channels: number): Float32Array<ArrayBuffer> {
  if (channels === 1) return samples;
  const mono = new Float32Array(Math.floor(samples.length / channels));
  for (let i = 0; i < mono.length; i += 1) {
    let sum = 0;
    for (let c = 0; c < channels; c += 1) sum += samples[i * channels + c] ?? 0;
    mono[i] = sum / channels;
  }
  return mono;
}

function tag(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function broken(why: string): AntiphonError {
  return new AntiphonError('model-run', `The synthesised audio can't be read: ${why}.`, {
    hint: 'Ask the engine for 16-bit PCM, as a WAV file or raw.',
  });
}
