/**
 * Builds dist/: the SDK unbundled (tsc), each worker and worklet as one self-contained file (rolldown),
 * the binary assets and models beside them, and the demo against that build (Vite).
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const bin = (name) => at(`node_modules/.bin/${name}`);

rmSync(at('dist'), { recursive: true, force: true });
mkdirSync(at('dist'), { recursive: true });
execFileSync(process.execPath, [at('tools/assets.mjs')], { stdio: 'inherit' });
execFileSync(bin('tsc'), ['-p', at('tsconfig.build.json')], { stdio: 'inherit', cwd: at('.') });
const emit = ['--noEmit', 'false', '--sourceMap', '--declarationMap'];
execFileSync(bin('tsc'), ['-p', at('tsconfig.servers.json'), ...emit], {
  stdio: 'inherit',
  cwd: at('.'),
});

/** A worklet split over two files fails in every bundler's production build; hence one file each. */
async function bundle(folder, external) {
  for (const file of readdirSync(at(folder)).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.d.ts'),
  )) {
    const build = await rolldown({
      input: at(`${folder}/${file}`),
      external,
      platform: 'browser',
      logLevel: 'warn',
    });
    await build.write({
      file: at(`dist/${folder}/${file.replace(/\.ts$/, '.js')}`),
      format: 'esm',
      codeSplitting: false,
      sourcemap: true,
      comments: { legal: true },
    });
    await build.close();
  }
}
// onnxruntime-web stays a bare import: the user's bundler then finds its wasm without configuration.
await bundle('workers', [/^onnxruntime-web/, /^@huggingface\/transformers/]);
await bundle('worklets', []);

writeFileSync(at('dist/empty.d.ts'), 'export {};\n');
cpSync(at('assets'), at('dist/assets'), { recursive: true });
if (existsSync(at('models'))) cpSync(at('models'), at('dist/models'), { recursive: true });

execFileSync(bin('vite'), ['build', '--config', at('vite.config.ts')], {
  stdio: 'inherit',
  cwd: at('.'),
  env: { ...process.env, ANTIPHON_BUILT: '1' },
});
