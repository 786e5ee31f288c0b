/** A worker that runs one test file with Vitest's runner, which Vitest itself starts on pages and in Node only. */
import type { RunnerTask, VitestTestRunner } from 'vitest';
import { setupCommonEnv, startTests } from 'vitest/internal/browser';
import type { FileOutcome, FileRequest, WorkerReport } from './run-in-worker.ts';

const files = import.meta.glob([
  '/test/unit/**/*.test.ts',
  '/test/browser/conformance/*.test.ts',
  '/test/realms/harness/*.ts',
]);

const tell = (report: WorkerReport): void => postMessage(report);

const failures: string[] = [];
const words = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
addEventListener('error', (event) => {
  event.preventDefault(); // else the page takes it for a worker that does not load
  failures.push(words(event.error ?? event.message));
});
addEventListener('unhandledrejection', ({ reason }) => {
  if (reason === last) allTold();
  else failures.push(words(reason));
});
/** What nobody caught is told late, and in order: when this one is told, all others are. */
const last = new Error('the last');
let allTold = (): void => {};
const untilAllTold = (): Promise<void> =>
  new Promise((resolve) => {
    allTold = resolve;
    void Promise.reject(last);
  });

/** What went wrong, under the name of its suite or test; a test that did not run is a failure, too. */
function* failuresOf(task: RunnerTask): Iterable<string> {
  const { state, errors = [] } = task.result ?? {};
  for (const { stack, message } of errors) yield [task.fullName, message, stack].join('\n');
  if (task.type === 'suite') for (const one of task.tasks) yield* failuresOf(one);
  else if (state !== 'pass' && errors.length === 0) yield `${task.fullName}\n${state ?? 'not run'}`;
}

const countOf = (task: RunnerTask): number =>
  task.type === 'test' ? 1 : task.tasks.reduce((count, one) => count + countOf(one), 0);

async function outcomeOf({ path, config }: FileRequest): Promise<FileOutcome> {
  Object.assign(globalThis, {
    __vitest_worker__: { config, metaEnv: {}, providedContext: {} },
    // Vitest rewrites `import()` to go through this, for mocks.
    __vitest_browser_runner__: { wrapDynamicImport: (load: () => unknown) => load() },
  });
  await setupCommonEnv(config);
  const load = files[path];
  if (!load) throw new Error(`no file ${path}`);
  const runner: VitestTestRunner = {
    config,
    importFile: () => load(),
    onBeforeRunTask: ({ fullName }) => tell({ running: fullName }),
  };
  const [file] = await startTests([config.root + path], runner);
  await untilAllTold();
  if (!file) throw new Error(`nothing ran of ${path}`);
  return {
    realm: globalThis.constructor.name,
    tests: countOf(file),
    failures: [...failuresOf(file), ...failures],
  };
}

onmessage = ({ data }: MessageEvent<FileRequest>) => {
  outcomeOf(data).then(
    (outcome) => tell({ outcome }),
    (error: unknown) => tell({ outcome: { realm: '', tests: 0, failures: [words(error)] } }),
  );
};
