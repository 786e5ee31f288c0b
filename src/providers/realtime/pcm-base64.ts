/** Samples as the realtime protocols carry them: 16-bit little-endian PCM in base64. */
import { decodePcm16 } from '../../speech/tts/pcm16.ts';
import { decodeBase64, encodeBase64 } from '../base64.ts';

/** Floats, −1…1, as base64 of signed 16-bit PCM; what lies beyond is clipped, what is no number is silence. */
export function encodePcmBase64(samples: Float32Array): string {
  const bytes = new Uint8Array(samples.length * 2);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < samples.length; index += 1) {
    const sample = Math.max(-1, Math.min(1, samples[index] ?? 0));
    view.setInt16(index * 2, Math.round(sample * (sample < 0 ? 32768 : 32767)) || 0, true);
  }
  return encodeBase64(bytes);
}

/**
 * The samples in `base64` of signed 16-bit PCM; undefined when it is no base64. A sample split between
 * two deltas would be noise from there on, so an odd number of bytes is refused too.
 */
export function decodePcmBase64(base64: string): Float32Array<ArrayBuffer> | undefined {
  try {
    const bytes = decodeBase64(base64);
    return bytes.length % 2 === 0 ? decodePcm16(bytes) : undefined;
  } catch {
    return undefined;
  }
}
