/** Runs a command of this package with CHROME_PATH set: `node tools/with-browser.mjs vitest run`. */
import { spawnSync } from 'node:child_process';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBrowser } from './browser.mjs';

const [command, ...args] = process.argv.slice(2);
const bin = fileURLToPath(new URL('../node_modules/.bin', import.meta.url));
try {
  const CHROME_PATH = ensureBrowser();
  const env = { ...process.env, CHROME_PATH, PATH: `${bin}${delimiter}${process.env['PATH']}` };
  process.exitCode =
    spawnSync(command, args, { stdio: 'inherit', env, shell: process.platform === 'win32' })
      .status ?? 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
