/** The model, the clip and what else lies beside the tests, in every realm. */
import { wavSamples } from '../../fixtures/read-wav.ts';

/** The bytes of a file; `fetch` reads none from disk. */
async function bytesOf(file: URL): Promise<ArrayBuffer> {
  if (file.protocol !== 'file:') return (await fetch(file)).arrayBuffer();
  const { readFile } = await import('node:fs/promises');
  return Uint8Array.from(await readFile(file)).buffer;
}

/** An address `fetch` knows, made of a model in `assets/`. */
export async function modelUrl(version: 'v5' | 'v6'): Promise<string> {
  const file = new URL(`../../../assets/silero_vad_${version}.onnx`, import.meta.url);
  return URL.createObjectURL(new Blob([await bytesOf(file)]));
}

/** The samples of a WAV file. */
export async function samplesOf(file: URL): Promise<Float32Array<ArrayBuffer>> {
  return wavSamples(await bytesOf(file));
}

/** The whole 512-sample frames of test/fixtures/question.wav. */
export async function questionFrames(): Promise<Float32Array<ArrayBuffer>[]> {
  const samples = await samplesOf(new URL('../../fixtures/question.wav', import.meta.url));
  return Array.from({ length: Math.floor(samples.length / 512) }, (_, index) =>
    samples.slice(index * 512, (index + 1) * 512),
  );
}
