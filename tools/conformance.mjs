/** Runs the conformance suite and writes its outcome to docs/conformance.md. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cwd = fileURLToPath(new URL('../', import.meta.url));
const { status } = spawnSync(
  join(cwd, 'node_modules/.bin/vitest'),
  ['run', '--project', 'unit', 'test/conformance'],
  {
    cwd,
    stdio: 'inherit',
    env: { ...process.env, CONFORMANCE_PAGE: 'write' },
    shell: process.platform === 'win32',
  },
);
process.exitCode = status ?? 1;
