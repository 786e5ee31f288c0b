/**
 * Finds where words begin in synthesised speech. flite prints the phones of an utterance with their times,
 * but not whose they are. The phones of each token are known from a second, paused reading; the two
 * sequences differ only where words touch ("the" before a vowel), so a minimum edit distance alignment
 * (Needleman and Wunsch, 1970) tells them apart.
 */

/** A phone and its place in the utterance. */
export interface Phone {
  readonly name: string;
  /** Seconds from the beginning of the utterance. */
  readonly start: number;
  /** Seconds from the beginning of the utterance. */
  readonly end: number;
}

/** Where a token sounds, in seconds; undefined when none of its phones were found. */
export type TokenTime = { readonly start: number; readonly end: number } | undefined;

/** What flite calls a pause. */
const pause = 'pau';
const vowels = new Set('aa ae ah ao aw ax axr ay eh er ey ih iy ow oy uh uw'.split(' '));

/** Reads `name:end name:end …`, the output of `-psdur`; words that are not of this form are left out. */
export function parsePhones(output: string): Phone[] {
  const phones: Phone[] = [];
  let start = 0;
  for (const match of output.matchAll(/([a-z@]+):(\d+(?:\.\d+)?)/g)) {
    const end = Number(match[2]);
    phones.push({ name: match[1] ?? '', start, end });
    start = end;
  }
  return phones;
}

/** The phone names between the pauses of `name name …`, the output of `-ps`. */
export function parseGroups(output: string): string[][] {
  const groups: string[][] = [[]];
  for (const name of output.split(/\s+/)) {
    if (name === pause) groups.push([]);
    else if (name !== '') groups.at(-1)?.push(name);
  }
  return groups.filter((group) => group.length > 0);
}

/** True for the phones that sound. */
export function sounds(phone: Phone): boolean {
  return phone.name !== pause;
}

/** For each group of expected phone names, one a token, the time at which it sounds in `phones`. */
export function alignTokens(
  phones: readonly Phone[],
  groups: readonly (readonly string[])[],
): TokenTime[] {
  const spoken = phones.filter(sounds);
  const expected = groups.flatMap((group, token) => group.map((name) => ({ name, token })));
  const times: { start: number; end: number }[] = [];
  for (const [i, j] of matches(
    spoken.map((phone) => phone.name),
    expected.map((phone) => phone.name),
  )) {
    const phone = spoken[i];
    const token = expected[j]?.token;
    if (phone === undefined || token === undefined) continue;
    const time = times[token];
    if (time === undefined) times[token] = { start: phone.start, end: phone.end };
    else time.end = phone.end;
  }
  return groups.map((_, token) => times[token]);
}

/**
 * Shares the sounding phones out in proportion to `weights`, for when no expected phones are known: an
 * estimate.
 */
export function shareOut(phones: readonly Phone[], weights: readonly number[]): TokenTime[] {
  const spoken = phones.filter(sounds);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let before = 0;
  return weights.map((weight) => {
    const first = Math.round((before / total) * spoken.length);
    before += weight;
    const last = Math.max(first, Math.round((before / total) * spoken.length) - 1);
    const start = spoken[first];
    const end = spoken[last];
    return start && end ? { start: start.start, end: end.end } : undefined;
  });
}

/** Index pairs of the best alignment, in order; what was inserted or left out is in no pair. */
function matches(found: readonly string[], expected: readonly string[]): [number, number][] {
  const gap = 0.7;
  const width = expected.length + 1;
  const cost = new Float64Array((found.length + 1) * width);
  const at = (i: number, j: number): number => cost[i * width + j] ?? Infinity;
  const pair = (i: number, j: number): number =>
    at(i - 1, j - 1) + difference(found[i - 1] ?? '', expected[j - 1] ?? '');
  for (let i = 0; i <= found.length; i += 1)
    for (let j = 0; j < width; j += 1) {
      if (i === 0 || j === 0) cost[i * width + j] = (i + j) * gap;
      else cost[i * width + j] = Math.min(pair(i, j), at(i - 1, j) + gap, at(i, j - 1) + gap);
    }
  const pairs: [number, number][] = [];
  let i = found.length;
  let j = expected.length;
  while (i > 0 && j > 0) {
    if (at(i, j) === pair(i, j)) {
      i -= 1;
      j -= 1;
      pairs.push([i, j]);
    } else if (at(i, j) === at(i - 1, j) + gap) i -= 1;
    else j -= 1;
  }
  return pairs.toReversed();
}

function difference(a: string, b: string): number {
  if (a === b) return 0;
  return vowels.has(a) && vowels.has(b) ? 0.4 : 1;
}
