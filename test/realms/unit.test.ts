/** The unit test files of the stages in workers; the pages run them as files of their own (`vitest.config.ts`). */
import { describe, expect, it } from 'vitest';
import { expectPassInWorker, outcomeInWorker } from './run-in-worker.ts';
import { runsEverywhere } from './unit-files.ts';

const folder = '/test/unit/';
const files = Object.keys(import.meta.glob('/test/unit/**/*.test.ts'))
  .map((path) => path.slice(folder.length))
  .filter(runsEverywhere);

describe.concurrent('in a worker', () => {
  it.each(files)('%s passes', (file) => expectPassInWorker(folder + file));

  it('so do the rows of the conformance list', () =>
    expectPassInWorker('/test/browser/conformance/rows.test.ts'));
});

describe('what a worker tells', () => {
  it('has the names of the tests that fail, also of one that waits for ever', async () => {
    const { tests, failures } = await outcomeInWorker('/test/realms/harness/fails.ts', 200);
    expect(tests).toBe(6);
    expect(failures).toEqual([
      expect.stringMatching(/fails\.ts > a group > is wrong\n.*expected 1 to be 2/),
      expect.stringMatching(/fails\.ts > waits for ever\n.*timed out in 200ms/),
      expect.stringMatching(/fails\.ts > is left out\nnot run/),
      expect.stringContaining('nobody caught it'),
      expect.stringContaining('out of the blue'),
    ]);
  });

  it('ends with the name of a file and a test that never give the thread back', async () => {
    const hanging = outcomeInWorker('/test/realms/harness/hangs.ts', 200);
    await expect(hanging).rejects.toThrow(/harness\/hangs\.ts hangs: .*, in .*hangs\.ts > spins/);
  });

  it('is an error when the file does not load', async () => {
    const { failures } = await outcomeInWorker('/test/realms/harness/throws.ts', 200);
    expect(failures).toEqual([expect.stringContaining('not even loaded')]);
  });
});
