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

/** The regressions of §13, by what they are called there. */
const numbers = [1035, 1055, 782, 853, 1485, 1616, 1617, 1620, 1621, 1623, 1632, 1636, 1638];
const later = [911, 1622, 1643, 1644, 1656, 1657, 1658, 1665];
const unnumbered = ['idle', 'burst', 'late transcript', 'sample rate', 'Bluetooth'];
const regressions = [
  ...[...numbers, ...later].map((number) => `#${number}`),
  ...[...unnumbered, 'paced barge-in'].map((name) => `(${name})`),
];

describe('the list', () => {
  it('has a row for every regression', () => {
    const seeds = areas.flatMap(({ rows }) => rows.map(({ seed }) => seed)).join(' ');
    expect(regressions.filter((name) => !seeds.includes(name))).toEqual([]);
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
