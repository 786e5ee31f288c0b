/** Type-checks every realm with its own library: page, test servers, workers, worklets, demo, tests. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The realms' tsconfig files. */
export const projects = [
  'tsconfig.json',
  'tsconfig.servers.json',
  'workers',
  'worklets',
  'demo',
  'test',
];

/** True when the realm compiles; prints what the compiler says otherwise. */
export function checkProject(project) {
  const compiler = fileURLToPath(new URL('../node_modules/.bin/tsc', import.meta.url));
  const cwd = fileURLToPath(new URL('../', import.meta.url));
  return (
    spawnSync(compiler, ['-p', project], {
      stdio: 'inherit',
      cwd,
      shell: process.platform === 'win32',
    }).status === 0
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const failed = projects.filter((project) => !checkProject(project));
  console.log(
    failed.length === 0
      ? `${projects.length} realms type-check`
      : `type errors in: ${failed.join(', ')}`,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
}
