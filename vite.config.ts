/** The demo's dev server and production build. `ANTIPHON_BUILT=1` takes the SDK from dist/ instead of source. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** What workers import: found only when they start, so Vite is told beforehand, here and in the tests. */
export const workerDependencies: string[] = [
  '@ricky0123/vad-web/dist/models/silero.js',
  'onnxruntime-web/wasm',
  'comlink',
  'idb-keyval',
  'eventsource-parser',
  '@bjorn3/browser_wasi_shim',
];
const built = process.env['ANTIPHON_BUILT'] === '1';

export default defineConfig({
  root: at('./demo'),
  base: './',
  resolve: { alias: { antiphon: at(built ? './dist/src/index.js' : './src/index.ts') } },
  worker: { format: 'es' },
  // Discovered late, they would reload the page in mid-conversation.
  optimizeDeps: { include: workerDependencies },
  server: {
    port: 5173,
    fs: { allow: [at('.')] },
    // A test must not be reloaded by somebody who edits a file meanwhile.
    ...(process.env['ANTIPHON_RELOAD'] === '0' ? { hmr: false, watch: null } : {}),
  },
  build: { outDir: at('./dist/demo'), emptyOutDir: true, target: 'es2023' },
});
