/** Where the benchmarks run: in Node, bundled; and on a page of Chromium, served by Vite. */
import { createReadStream, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright';
import { rolldown } from 'rolldown';
import { createServer } from 'vite';
import { browserFlags, ensureBrowser } from '../../tools/browser.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const here = join(root, 'test/bench');

/** The benchmarks as a module of Node. */
export async function loadInNode() {
  const folder = join(root, 'node_modules/.cache/antiphon-bench');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const build = await rolldown({
    input: { node: join(here, 'node.ts'), 'node-worker': join(here, 'node-worker.ts') },
    platform: 'node',
    logLevel: 'warn',
  });
  await build.write({ dir: folder, format: 'esm', entryFileNames: '[name].js' });
  await build.close();
  return import(pathToFileURL(join(folder, 'node.js')).href);
}

/** Serves files of a package as they are, under a path of their own: what MicVAD's documentation asks for. */
function rawFiles(path, folder) {
  const types = { js: 'text/javascript', mjs: 'text/javascript', wasm: 'application/wasm' };
  return {
    name: `raw files at ${path}`,
    configureServer(server) {
      server.middlewares.use(path, (request, response) => {
        const name = basename(new URL(request.url, 'http://localhost').pathname);
        response.setHeader(
          'content-type',
          types[name.split('.').pop()] ?? 'application/octet-stream',
        );
        createReadStream(join(root, folder, name))
          .on('error', () => response.writeHead(404).end())
          .pipe(response);
      });
    },
  };
}

/** The benchmarks' page, served and in a browser of its own whose microphone plays `microphone`, again and again. */
export async function openChromium(microphone) {
  const server = await createServer({
    configFile: join(root, 'vite.config.ts'),
    root: here,
    cacheDir: join(root, 'node_modules/.cache/antiphon-bench-vite'),
    logLevel: 'error',
    // Nothing but the benchmark may keep the main thread busy.
    server: { port: 0, strictPort: false, hmr: false, ws: false },
    optimizeDeps: { include: ['@ricky0123/vad-web'] },
    plugins: [
      rawFiles('/vad-web', 'node_modules/@ricky0123/vad-web/dist'),
      rawFiles('/onnxruntime-web', 'node_modules/onnxruntime-web/dist'),
    ],
  });
  await server.listen();
  const browser = await chromium.launch({
    executablePath: ensureBrowser(),
    args: [
      ...browserFlags,
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-audio-capture=${microphone}`,
    ],
  });
  return {
    version: browser.version(),
    /** A fresh page with `globalThis.bench`; close it. */
    async open() {
      const page = await browser.newPage();
      page.on('pageerror', (error) => console.error(`page: ${error.message}`));
      await page.goto(server.resolvedUrls.local[0]);
      await page.waitForFunction(() => 'bench' in globalThis);
      return page;
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}
