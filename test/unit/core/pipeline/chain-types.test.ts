import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const at = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'antiphon-types-'));
const from = (path: string): string => relative(folder, at(path)).replaceAll('\\', '/');
afterAll(() => rmSync(folder, { recursive: true }));

it('says in the last line why a stage does not fit behind the ones before it', () => {
  writeFileSync(
    join(folder, 'bad.ts'),
    `import { PipelineBuilder } from '${from('src/core/pipeline/builder.ts')}';
import type { Stage } from '${from('src/core/stage/stage.ts')}';
declare const microphone: Stage<never, 'audio'>;
declare const recogniser: Stage<'utterance', 'transcript' | 'message'>;
new PipelineBuilder().chain(microphone, recogniser);
`,
  );
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: at('tsconfig.base.json'), files: ['bad.ts'] }),
  );
  const { stdout } = spawnSync(
    process.execPath,
    [at('node_modules/typescript/bin/tsc'), '-p', folder, '--pretty', 'false'],
    { encoding: 'utf8', cwd: folder },
  );
  const lines = stdout.trim().split('\n');
  expect(lines.filter((line) => line.includes('error TS'))).toHaveLength(1);
  expect(lines[0]).toMatch(/bad\.ts\(5,29\): error TS2345/);
  expect(lines.at(-1)).toContain('no stage before this one emits what it consumes');
});
