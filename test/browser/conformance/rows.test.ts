/** The behaviours of the conformance list, which Node has tried already; `test/realms` runs this file in a worker, too. */
import { afterEach, describe, it, vi } from 'vitest';
import { areas } from '../../conformance/areas.ts';

afterEach(() => {
  vi.useRealTimers();
});

for (const { title, rows } of areas)
  describe(title, () => {
    for (const { id, behaviour, run } of rows)
      it(`${id}: ${behaviour}`, async () => {
        await run();
      });
  });
