/**
 * The whole test suite: types, unit, browser, end to end. Ends with `N passed, N failed, N skipped`.
 * Every part runs even when an earlier one failed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { browserVersion, ensureBrowser } from './browser.mjs';
import { checkProject, projects } from './check-types.mjs';

const cwd = fileURLToPath(new URL('../', import.meta.url));
const reports = mkdtempSync(join(tmpdir(), 'antiphon-test-'));
const total = { passed: 0, failed: 0, skipped: 0 };

function add(counts) {
  for (const key of Object.keys(total)) total[key] += counts[key] ?? 0;
}

/** Runs a tool of node_modules/.bin; a part that dies without a report counts as one failure. */
function part(title, command, args, env, count) {
  console.log(`\n=== ${title}`);
  const report = join(reports, `${title.replace(/\W+/g, '-')}.json`);
  const run = spawnSync(join(cwd, 'node_modules/.bin', command), args(report), {
    stdio: 'inherit',
    cwd,
    env: { ...process.env, ...env(report) },
    shell: process.platform === 'win32',
  });
  const counts = existsSync(report)
    ? count(JSON.parse(readFileSync(report, 'utf8')))
    : { failed: 1 };
  if (run.status !== 0 && !counts.failed) counts.failed = 1;
  add(counts);
}

let browser;
try {
  browser = ensureBrowser();
} catch (error) {
  console.error(error.message);
  console.log('0 passed, 1 failed');
  process.exit(1);
}
console.log(`Browser: ${browserVersion(browser)}`);

console.log('\n=== types');
for (const project of projects) add(checkProject(project) ? { passed: 1 } : { failed: 1 });

const vitest = (project) =>
  part(
    project,
    'vitest',
    (report) => [
      'run',
      '--project',
      project,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    () => ({ CHROME_PATH: browser }),
    (json) => ({
      passed: json.numPassedTests,
      failed: json.numFailedTests + (json.success ? 0 : Number(json.numFailedTests === 0)),
      skipped: json.numPendingTests + json.numTodoTests,
    }),
  );
vitest('unit');
vitest('browser');

part(
  'end to end',
  'playwright',
  () => ['test', '--reporter=list,json'],
  (report) => ({ CHROME_PATH: browser, PLAYWRIGHT_JSON_OUTPUT_NAME: report }),
  ({ stats }) => ({
    passed: stats.expected + stats.flaky,
    failed: stats.unexpected,
    skipped: stats.skipped,
  }),
);

rmSync(reports, { recursive: true, force: true });
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;
