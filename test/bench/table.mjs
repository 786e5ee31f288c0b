/** Medians, and tables of aligned text. */

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Three significant digits, with thousands apart. */
export function figure(value) {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toLocaleString('en', { maximumFractionDigits: Math.min(digits, 3) });
}

/** Prints `rows` of cells under `title`; the first column to the left, the rest to the right. */
export function printTable(title, head, rows) {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  console.log(`\n${title}`);
  for (const row of all) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]),
    );
    console.log(`  ${cells.join('  ').trimEnd()}`);
  }
}

/** Whether a measured ratio reaches the one that DESIGN asks for: words for a table, never an assertion. */
export function verdict(value, target) {
  return `${value >= target ? 'meets' : 'misses'} ≥ ${target}×`;
}

/**
 * Repeats `measure`, which gives the rates of several ways measured one after the other, and gives for each
 * the median rate and the median of its ratio to the way `baseline` in the same round. One more round
 * comes first and is thrown away: it warms up.
 */
export async function compare(measure, baseline, rounds) {
  await measure();
  const all = [];
  for (let round = 0; round < rounds; round += 1) all.push(await measure());
  return all[0].map(({ name }) => {
    const rates = all.map((round) => round.find((one) => one.name === name).perSecond);
    const bases = all.map((round) => round.find((one) => one.name === baseline).perSecond);
    return {
      name,
      perSecond: median(rates),
      ratio: median(rates.map((rate, index) => rate / bases[index])),
    };
  });
}
