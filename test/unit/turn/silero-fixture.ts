/** The model and the clip of the tests in Node, where `fetch` reads no files: as addresses it does read. */
import { readFile } from 'node:fs/promises';
import { wavSamples } from '../../fixtures/read-wav.ts';

/** An address `fetch` knows, made of a model in `assets/`. */
export async function modelUrl(version: 'v5' | 'v6'): Promise<string> {
  const file = new URL(`../../../assets/silero_vad_${version}.onnx`, import.meta.url);
  return URL.createObjectURL(new Blob([await readFile(file)]));
}

/** The samples of a WAV file. */
export async function samplesOf(file: URL): Promise<Float32Array<ArrayBuffer>> {
  const bytes = await readFile(file);
  return wavSamples(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** The whole 512-sample frames of test/fixtures/question.wav. */
export async function questionFrames(): Promise<Float32Array<ArrayBuffer>[]> {
  const samples = await samplesOf(new URL('../../fixtures/question.wav', import.meta.url));
  return Array.from({ length: Math.floor(samples.length / 512) }, (_, index) =>
    samples.slice(index * 512, (index + 1) * 512),
  );
}
