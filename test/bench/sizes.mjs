/** What an import costs a page: bundled for the browser, minified, gzipped. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('../../', import.meta.url));
const at = (file) => join(root, file);

/** What is measured: the module an application would write, or a file as it is. */
const imports = [
  {
    name: 'core: everything',
    code: `export * from ${JSON.stringify(at('src/core/index.ts'))}`,
    target: 12,
  },
  {
    name: 'core: PipelineBuilder and transform',
    code: `export { PipelineBuilder, transform } from ${JSON.stringify(at('src/core/index.ts'))}`,
    target: 12,
  },
  {
    name: 'agent: createVoiceAgent',
    code: `export { createVoiceAgent } from ${JSON.stringify(at('src/index.ts'))}`,
    target: 35,
  },
  { name: 'ears worker', file: at('workers/ears.ts') },
  { name: 'scribe worker', file: at('workers/scribe.ts') },
  { name: 'voice worker', file: at('workers/voice.ts') },
  { name: 'capture worklet', file: at('worklets/capture.ts') },
  { name: 'playback worklet', file: at('worklets/playback.ts') },
];

/** Bytes of the module `code` or of `file`, its dependencies included but for ONNX Runtime and transformers. */
async function sizeOf({ code, file }) {
  const entry = 'entry of the size benchmark';
  const build = await rolldown({
    input: file ?? entry,
    external: [/^onnxruntime-web/, /^@huggingface\/transformers/],
    platform: 'browser',
    logLevel: 'silent',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? code : undefined),
      },
    ],
  });
  const { output } = await build.generate({ format: 'esm', minify: true });
  await build.close();
  // What is imported when the need arises is not part of the import.
  const chunks = new Set(output.filter((chunk) => chunk.isEntry));
  for (const chunk of chunks)
    for (const name of chunk.imports) {
      const imported = output.find(({ fileName }) => fileName === name);
      if (imported) chunks.add(imported);
    }
  const text = [...chunks].map(({ code }) => code).join('');
  return { minified: Buffer.byteLength(text), gzipped: gzipSync(text, { level: 9 }).length };
}

/** Sizes of all, in bytes; `target` in kB (1 000 bytes) where DESIGN sets one. */
export async function measureSizes() {
  const sizes = [];
  for (const { name, target, ...what } of imports)
    sizes.push({ name, target, ...(await sizeOf(what)) });
  return sizes;
}
