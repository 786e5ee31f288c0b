/** No stage is left out of the realms without a reason, and the page that says so is true. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as antiphon from '../../../src/index.ts';
import { realmMarkdown, realmTable } from '../../realms/table.ts';
import { families, nodeOnly, runsEverywhere } from '../../realms/unit-files.ts';

const raw = import.meta.glob<string>('../**/*.test.ts', {
  query: '?raw',
  import: 'default',
  eager: true,
});
/** Contents of the unit test files by their names in `test/unit`. */
const sources = new Map(
  Object.entries(raw).map(([path, source]) => [path.slice('../'.length), source]),
);

describe('the realms of stages', () => {
  it('are stated for every stage there is', () => {
    const exported = Object.entries(antiphon)
      .filter(([name, value]) => typeof value === 'function' && /Stage(WithInterruption)?$/.test(name))
      .map(([name]) => name);
    const stated = realmTable.map(({ stage }) => stage);
    expect(exported.filter((name) => !stated.includes(name))).toEqual([]);
    expect(stated.filter((name) => !(name in antiphon))).toEqual([]);
    expect(new Set(stated).size).toBe(stated.length);
  });

  it('are tried by the tests of each stage, which run wherever it does', () => {
    for (const { stage, suite } of realmTable) {
      if (suite === undefined) continue;
      expect(sources.get(suite), suite).toMatch(new RegExp(`\\b${stage}\\b`));
      expect(runsEverywhere(suite), suite).toBe(true);
    }
  });

  it('are shown in the documentation', () => {
    const page = readFileSync(new URL('../../../docs/architecture.md', import.meta.url), 'utf8');
    const table = realmMarkdown();
    expect(page.includes(`\n${table}\n`), `put this into docs/architecture.md:\n${table}`).toBe(true);
  });
});

describe('the unit test files that run everywhere', () => {
  const names = [...sources.keys()];

  it('are all of some folders but those that are named, and these are there', () => {
    for (const family of families)
      expect(names.some((name) => name.startsWith(`${family}/`) && runsEverywhere(name))).toBe(true);
    expect(Object.keys(nodeOnly).filter((name) => !names.includes(name))).toEqual([]);
    expect(Object.keys(nodeOnly).filter((name) => !families.some((one) => name.startsWith(one)))).toEqual([]);
  });

  it('use nothing that only Node has (else: `test/realms/unit-files.ts`)', () => {
    const ofNode = /\bfrom '(node:|ws')|\bsetImmediate\(|\bBuffer\.|\bprocess\.|servers\/index/;
    for (const name of names.filter(runsEverywhere)) {
      const source = sources.get(name)?.replaceAll(/^import type [^;]*;$/gm, '');
      expect(source, name).not.toMatch(ofNode);
    }
  });

  it('use nothing that only the runner of Vitest itself knows, which is not in workers', () => {
    for (const name of names.filter(runsEverywhere))
      expect(sources.get(name), name).not.toMatch(
        /expect\.(has)?[aA]ssertions\(|\.to(Match|Throw\w*Match)\w*Snapshot\(|vi\.(do)?[mM]ock\(/,
      );
  });
});
