/** Runs test files in workers, asked by a page. */
import { expect, type SerializedConfig } from 'vitest';

/** A file to run, and how. */
export interface FileRequest {
  /** From the root of the repository on, with a slash in front. */
  readonly path: string;
  readonly config: SerializedConfig;
}

/** How it went. */
export interface FileOutcome {
  /** The class of the global object it ran under. */
  readonly realm: string;
  /** How many tests there are. */
  readonly tests: number;
  /** Everything that did not go well: names and stacks. */
  readonly failures: readonly string[];
}

/** What the worker tells: which test is about to run, and at last the outcome. */
export type WorkerReport = { readonly running: string } | { readonly outcome: FileOutcome };

/** How long a file may take to load, in ms. */
const loadingMs = 60_000;

/**
 * Runs a file in a worker of its own, `testMs` for each test and hook at most. One that never gives the thread back
 * rejects with the name of the test it is stuck in.
 */
export async function outcomeInWorker(path: string, testMs: number): Promise<FileOutcome> {
  const worker = new Worker(new URL('./unit.worker.ts', import.meta.url), { type: 'module' });
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise<FileOutcome>((resolve, reject) => {
      const watch = (what: string, limitMs: number): void => {
        clearTimeout(timer);
        const message = `${path} hangs: nothing was heard of it for ${limitMs} ms, in ${what}`;
        timer = setTimeout(() => reject(new Error(message)), limitMs);
      };
      worker.onerror = ({ message }) => reject(new Error(`${path} does not load: ${message}`));
      worker.onmessage = ({ data }: MessageEvent<WorkerReport>) => {
        if ('outcome' in data) resolve(data.outcome);
        // A test may have hooks around it, which have as much time.
        else watch(data.running, 4 * testMs);
      };
      watch('its loading', loadingMs);
      worker.postMessage({ path, config: configOf(testMs) } satisfies FileRequest);
    });
  } finally {
    clearTimeout(timer);
    worker.terminate();
  }
}

/** Runs a file in a worker of its own, and expects that all of its tests pass there. */
export async function expectPassInWorker(path: string): Promise<void> {
  const outcome = await outcomeInWorker(path, 30_000);
  // As it is: an assertion would cut it short.
  if (outcome.failures.length > 0) throw new Error(outcome.failures.join('\n\n'));
  expect(outcome.tests).toBeGreaterThan(0);
  expect(outcome.realm).toBe('DedicatedWorkerGlobalScope');
}

/** The page's own configuration, without what does not survive a message or selects tests by name. */
function configOf(testMs: number): SerializedConfig {
  const { __vitest_worker__: state } = globalThis as unknown as {
    readonly __vitest_worker__: { readonly config: SerializedConfig };
  };
  const config = JSON.parse(JSON.stringify(state.config)) as SerializedConfig;
  return { ...config, testNamePattern: undefined, testTimeout: testMs, hookTimeout: testMs };
}
