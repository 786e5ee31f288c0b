/** What is different between two logs, for the message of a failed test. */

/** Lines that are shown around a change. */
const context = 2;

/**
 * The lines that are only in `expected` (`-`) or only in `actual` (`+`), with two common lines around each
 * change and `…` where more were left out. Empty when both are the same but for white space at the end.
 *
 * @example
 * const difference = diffLogs(golden, describeElements(outputs));
 * if (difference !== '') throw new Error(difference);
 */
export function diffLogs(expected: string, actual: string): string {
  const before = expected.trimEnd().split('\n');
  const after = actual.trimEnd().split('\n');
  const edits = editsOf(before, after);
  if (edits.every(({ mark }) => mark === ' ')) return '';
  const shown = edits.map((_, index) =>
    edits.slice(Math.max(0, index - context), index + context + 1).some(({ mark }) => mark !== ' '),
  );
  const lines: string[] = [];
  for (const [index, { mark, line }] of edits.entries())
    if (shown[index]) lines.push(`${mark} ${line}`);
    else if (lines.at(-1) !== '…') lines.push('…');
  return lines.join('\n');
}

interface Edit {
  readonly mark: ' ' | '-' | '+';
  readonly line: string;
}

/** The edits along a longest common subsequence; common ends are set aside first. */
function editsOf(before: readonly string[], after: readonly string[]): Edit[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start])
    start += 1;
  let tail = 0;
  while (
    tail < before.length - start &&
    tail < after.length - start &&
    before.at(-1 - tail) === after.at(-1 - tail)
  )
    tail += 1;
  const old = before.slice(start, before.length - tail);
  const fresh = after.slice(start, after.length - tail);
  const same = (line: string): Edit => ({ mark: ' ', line });
  return [
    ...before.slice(0, start).map(same),
    ...along(old, fresh, commonLengths(old, fresh)),
    ...before.slice(before.length - tail).map(same),
  ];
}

/** `lengths[i][j]`: of the longest common subsequence of `old` from `i` and `fresh` from `j`. */
function commonLengths(old: readonly string[], fresh: readonly string[]): Uint32Array[] {
  const lengths = Array.from({ length: old.length + 1 }, () => new Uint32Array(fresh.length + 1));
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = fresh.length - 1; j >= 0; j -= 1) {
      const [row, below] = [lengths[i], lengths[i + 1]];
      if (!row || !below) continue;
      row[j] =
        old[i] === fresh[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  return lengths;
}

function along(
  old: readonly string[],
  fresh: readonly string[],
  lengths: readonly Uint32Array[],
): Edit[] {
  const edits: Edit[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    const [was, is] = [old[i], fresh[j]];
    if (was !== undefined && was === is) {
      edits.push({ mark: ' ', line: was });
      i += 1;
      j += 1;
    } else if (
      was !== undefined &&
      (is === undefined || (lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0))
    ) {
      edits.push({ mark: '-', line: was });
      i += 1;
    } else {
      edits.push({ mark: '+', line: is ?? '' });
      j += 1;
    }
  }
  return edits;
}
