/** No stage is left out of the realm suites without a reason, and the page that says so is true. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as antiphon from '../../../src/index.ts';
import { stages } from '../../realms/stages.ts';
import { realmMarkdown, realmTable } from '../../realms/table.ts';

const suites = ['conversation', 'flow', 'shapes', 'streaming', 'utility'].map((name) =>
  readFileSync(new URL(`../../realms/suites/${name}.ts`, import.meta.url), 'utf8'),
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

  it('are tried, each by a suite that runs it', () => {
    const named = new Set(realmTable.flatMap((row) => row.suites));
    for (const key of named) {
      expect(stages).toHaveProperty(key);
      expect(suites.some((source) => new RegExp(`run\\(\\s*'${key}'`).test(source)), key).toBe(true);
    }
  });

  it('are shown in the documentation', () => {
    const page = readFileSync(new URL('../../../docs/architecture.md', import.meta.url), 'utf8');
    const table = realmMarkdown();
    expect(page.includes(`\n${table}\n`), `put this into docs/architecture.md:\n${table}`).toBe(true);
  });
});
