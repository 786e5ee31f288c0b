/** The conformance list as a page of the documentation. */
import type { Area, Row } from './row.ts';

/** How a case ended. */
export type Result = 'kept' | 'broken';

const intro = `# Conformance

Antiphon takes over the design of an earlier stage runtime. What its tests assert, what it got wrong in the field, and the mistakes of its
history are written down here as behaviours, one a row, each shown by a case in \`test/conformance\`. Written by \`node tools/conformance.mjs\`;
\`npm test\` runs the cases and checks this page.

*kept*: as the seed does. *differs*: on purpose; the row says what Antiphon does instead, and why.
`;

/** The whole page; \`results\` by id. */
export function pageOf(areas: readonly Area[], results: ReadonlyMap<string, Result>): string {
  const rows = areas.flatMap(({ rows }) => rows);
  const differing = rows.filter(({ ours }) => ours === 'differs').length;
  const broken = rows.filter(({ id }) => results.get(id) !== 'kept').length;
  const summary = `${rows.length} behaviours: ${rows.length - differing} as in the seed, ${differing} different on purpose, ${broken} broken.`;
  const tables = areas.map(({ title, rows }) =>
    [
      `## ${title}`,
      '',
      '| id | behaviour | seed | result | why different |',
      '| --- | --- | --- | --- | --- |',
      ...rows.map((row) => lineOf(row, results.get(row.id) ?? 'broken')),
    ].join('\n'),
  );
  return [intro, `${summary}\n`, ...tables.map((table) => `${table}\n`)].join('\n');
}

function lineOf(row: Row, result: Result): string {
  const outcome = result === 'broken' ? '**broken**' : row.ours === 'differs' ? 'differs' : 'kept';
  const why = row.ours === 'differs' ? row.why : '';
  const cells = [`\`${row.id}\``, row.behaviour, row.seed, outcome, why];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
