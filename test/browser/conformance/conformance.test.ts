/** The behaviours of the stages, which Node has tried already, on a page and in a worker. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { areas } from '../../conformance/areas.ts';
import { runnerArea } from '../../conformance/runner.ts';
import type { RowOutcome } from './rows.worker.ts';

describe('the conformance list', () => {
  let worker: Worker;
  const waiting = new Map<string, (outcome: RowOutcome) => void>();
  const outcomeOf = (id: string): Promise<RowOutcome> =>
    new Promise((resolve) => waiting.set(id, resolve));

  beforeAll(async () => {
    worker = new Worker(new URL('./rows.worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<RowOutcome>) => waiting.get(data.id)?.(data);
    await new Promise<void>((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message));
      void outcomeOf('ready').then(() => resolve());
    });
  });
  afterAll(() => worker.terminate());

  // The runner itself is tried by fake timers, which a worker has none of.
  const ofStages = areas
    .filter((area) => area !== runnerArea)
    .map(({ title, rows }) => ({
      title,
      // Rows about the real detector read files; in browsers `test/browser/ears` tries it.
      rows: rows.filter(({ id }) => !id.startsWith('vad.')),
    }));
  for (const { title, rows } of ofStages.filter((area) => area.rows.length > 0))
    describe(title, () => {
      for (const { id, run } of rows) {
        it(`${id} on the page`, async () => {
          await run();
        });
        it(`${id} in a worker`, async () => {
          const outcome = outcomeOf(id);
          worker.postMessage(id);
          expect(await outcome).toEqual({ id });
        });
      }
    });
});
