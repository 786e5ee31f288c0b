/** Fails when an exported symbol of the SDK has no doc block, or a source file no opening comment. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const exported =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|interface|type|const|let) (\w+)/;

function* sources(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* sources(path);
    else if (path.endsWith('.ts') && !path.endsWith('.d.ts')) yield path;
  }
}

const missing = [];
let symbols = 0;
for (const folder of ['src', 'workers', 'worklets'])
  for (const path of sources(folder)) {
    const lines = readFileSync(join(root, path), 'utf8').split('\n');
    if (!lines[0].startsWith('/**'))
      missing.push(`${path}:1 says nothing about what the file is for`);
    lines.forEach((line, index) => {
      const name = exported.exec(line)?.[1];
      if (!name) return;
      symbols++;
      const isOverload = lines
        .slice(0, index)
        .some((earlier) => exported.exec(earlier)?.[1] === name);
      const documented = lines[index - 1]?.trimEnd().endsWith('*/');
      if (!documented && !isOverload) missing.push(`${path}:${index + 1} ${name} has no doc block`);
    });
  }
console.log(
  missing.length === 0 ? `${symbols} exported symbols are documented` : missing.join('\n'),
);
process.exitCode = missing.length === 0 ? 0 : 1;
