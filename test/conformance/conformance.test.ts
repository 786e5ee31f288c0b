/** Runs every row, and checks that docs/conformance.md lists them as they ended. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { areas } from './areas.ts';
import { pageOf, type Result } from './page.ts';

const page = fileURLToPath(new URL('../../docs/conformance.md', import.meta.url));
const results = new Map<string, Result>();

afterEach(() => {
  vi.useRealTimers();
});

for (const { title, rows } of areas)
  describe(title, () => {
    for (const { id, behaviour, run } of rows)
      it(`${id}: ${behaviour}`, async () => {
        onTestFinished(({ task }) => {
          results.set(id, task.result?.state === 'pass' ? 'kept' : 'broken');
        });
        await run();
      });
  });

describe('docs/conformance.md', () => {
  it('has ids that are unique', () => {
    const ids = areas.flatMap(({ rows }) => rows.map(({ id }) => id));
    expect(ids).toEqual([...new Set(ids)]);
  });

  it('lists the rows as they ended (else: node tools/conformance.mjs)', () => {
    const now = pageOf(areas, results);
    if (process.env['CONFORMANCE_PAGE'] === 'write') writeFileSync(page, now);
    expect(readFileSync(page, 'utf8')).toBe(now);
  });
});
