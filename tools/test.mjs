/**
 * The whole test suite: types, unit, browser, end to end. Ends with what failed and why, once more, and with
 * `N passed, N failed, N skipped`. Every part runs even when an earlier one failed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { browserVersion, ensureBrowser } from './browser.mjs';
import { checkProject, projects } from './check-types.mjs';

const cwd = fileURLToPath(new URL('../', import.meta.url));
const reports = mkdtempSync(join(tmpdir(), 'antiphon-test-'));
const total = { passed: 0, skipped: 0 };
const failures = [];

function add(counts) {
  for (const key of Object.keys(total)) total[key] += counts[key] ?? 0;
}

/** What is said again at the end of a test that failed; of a long message its beginning and its end. */
function remember(title, name, messages) {
  const lines = stripVTControlCharacters(messages.join('\n')).split('\n');
  if (lines.length > 60) lines.splice(20, lines.length - 60, '…');
  failures.push([`${title}: ${name}`, ...lines].join('\n    '));
}

/** Runs a tool of node_modules/.bin; a part that dies without naming what failed counts as one failure. */
function part(title, command, args, env, count, failedIn) {
  console.log(`\n=== ${title}`);
  const report = join(reports, `${title.replace(/\W+/g, '-')}.json`);
  const run = spawnSync(join(cwd, 'node_modules/.bin', command), args(report), {
    stdio: 'inherit',
    cwd,
    env: { ...process.env, ...env(report) },
    shell: process.platform === 'win32',
  });
  const results = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined;
  const failed = results ? failedIn(results) : [];
  if (run.status !== 0 && failed.length === 0)
    failed.push([`exit status ${run.status ?? run.signal}`, []]);
  for (const [name, messages] of failed) remember(title, name, messages);
  if (results) add(count(results));
}

function endToEndFailures(suites) {
  return suites.flatMap(({ specs = [], suites: inner = [] }) => [
    ...specs
      .filter(({ ok }) => !ok)
      .map(({ title, tests }) => [
        title,
        tests.flatMap(({ results }) =>
          results.flatMap(({ errors }) => errors.map((e) => e.message)),
        ),
      ]),
    ...endToEndFailures(inner),
  ]);
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
for (const project of projects) {
  if (checkProject(project)) add({ passed: 1 });
  else remember('types', project, []);
}

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
      skipped: json.numPendingTests + json.numTodoTests,
    }),
    (json) =>
      json.testResults.flatMap(({ name, status, message, assertionResults }) => {
        const failed = assertionResults.filter((test) => test.status === 'failed');
        if (status === 'failed' && failed.length === 0) return [[name, [message ?? '']]];
        return failed.map(({ fullName, failureMessages }) => [fullName, failureMessages]);
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
    skipped: stats.skipped,
  }),
  ({ suites, errors }) => [
    ...endToEndFailures(suites),
    ...errors.map(({ message }) => ['outside a test', [message]]),
  ],
);

rmSync(reports, { recursive: true, force: true });
if (failures.length > 0) console.log(`\n=== what failed\n${failures.join('\n')}`);
console.log(`\n${total.passed} passed, ${failures.length} failed, ${total.skipped} skipped`);
process.exitCode = failures.length === 0 ? 0 : 1;
