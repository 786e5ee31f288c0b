// Runs a model directory under onnxruntime-web: shapes, lengths, agreement with PyTorch's logits (BUILD/check.json if given), speed.
//   node check.mjs MODEL_DIR [CHECK_JSON]
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const from = process.env.ORT_FROM ? pathToFileURL(process.env.ORT_FROM + '/') : import.meta.url;
const ort = await import(pathToFileURL(createRequire(from).resolve('onnxruntime-web')).href);
ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';
const [folder, check] = process.argv.slice(2);
const started = performance.now();
const session = await ort.InferenceSession.create(readFileSync(`${folder}/onnx/model_quantized.onnx`), { executionProviders: ['wasm'] });
console.log('session', Math.round(performance.now() - started), 'ms');
const run = async (samples) => {
  const input = new ort.Tensor('float32', samples, [1, samples.length]);
  const { logits } = await session.run({ input_values: input });
  const out = { data: Float32Array.from(logits.data), dims: logits.dims };
  logits.dispose();
  input.dispose();
  return out;
};
for (const n of [1600, 1601, 5000, 16000, 47999, 480000]) {
  const { dims, data } = await run(Float32Array.from({ length: n }, (_, i) => Math.sin(i / 9) * Math.sin(i / 900)));
  const rows = Math.ceil((Math.floor(n / 160) + 1) / 4);
  if (dims[1] !== rows || dims[2] !== 29 || !data.every(Number.isFinite)) throw new Error(`${n} samples gave ${dims}`);
}
for (const level of [0, 1e-6, 1]) if (!(await run(new Float32Array(16000).fill(level))).data.every(Number.isFinite)) throw new Error('not finite');
const seconds = 5;
const noise = Float32Array.from({ length: seconds * 16000 }, () => Math.random() - 0.5);
await run(noise);
const begin = performance.now();
for (let i = 0; i < 5; i++) await run(noise);
console.log('real-time factor, one thread', ((performance.now() - begin) / 5 / 1000 / seconds).toFixed(4));
if (check) {
  let worst = 0;
  for (const { samples, logits } of JSON.parse(readFileSync(check, 'utf8'))) {
    const { data } = await run(Float32Array.from(samples));
    for (let i = 0; i < data.length; i++) worst = Math.max(worst, Math.abs(data[i] - logits[i]));
  }
  console.log('largest difference to PyTorch', worst.toExponential(2));
  if (!(worst < 0.02)) throw new Error('the exported graph differs');
}
