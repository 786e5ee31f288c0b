/** Bytes of PCM in base64, as the realtime protocols carry them. */

/** Whether a text is base64, padded. */
export const isBase64 = (text: string): boolean =>
  text.length % 4 === 0 && /^[A-Za-z\d+/]+={0,2}$/.test(text);

/** What base64 stands for. */
export function bytesOfBase64(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** Samples −1…1 as PCM16, little-endian, in base64. */
export function pcm16Base64(samples: Float32Array): string {
  const pcm = new DataView(new ArrayBuffer(samples.length * 2));
  for (const [index, sample] of samples.entries())
    pcm.setInt16(index * 2, Math.max(-32768, Math.min(32767, Math.round(sample * 32767))), true);
  return btoa(Array.from(new Uint8Array(pcm.buffer), (byte) => String.fromCharCode(byte)).join(''));
}

/** Chunks as one. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
