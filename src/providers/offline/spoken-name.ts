/** "my name is Anna": the name a person gives. */
import type { Mended } from './repair.ts';
import { isLike } from './words.ts';

const noNames: ReadonlySet<string> = new Set(
  'what not a an the is my your please now so and you it that again in on at of to for'.split(' '),
);
const endings: ReadonlySet<string> = new Set(
  'and but please what by so can remember okay now thanks thank how not you nice the is do tell'.split(
    ' ',
  ),
);

/** Where the name begins in "my name is …", "call me …", "i am called …"; -1 when nobody gives one. */
function nameStart(words: readonly string[]): number {
  for (let index = 0; index < words.length; index += 1) {
    const [first, second] = words.slice(index, index + 2);
    if (first === 'what' || first === 'know' || isLike(first, 'forget')) return -1;
    if (isLike(first, 'name') && (second === 'is' || second === 'his' || second === 'as'))
      return index + 2;
    if (isLike(first, 'call') && second === 'me') return index + 2;
    if ((first === 'am' || first === 'me') && isLike(second, 'called', 'named')) return index + 2;
  }
  return -1;
}

/** The name given in a sentence, as it was heard, capitalised, at most two words; undefined when none is. */
export function spokenName(sentence: readonly Mended[]): string | undefined {
  const start = nameStart(sentence.map(({ word }) => word));
  if (start === -1) return undefined;
  const rest = sentence
    .slice(start, start + 2)
    .map(({ heard }) => heard)
    .filter((word) => word !== '');
  const end = rest.findIndex((word) => endings.has(word) || !/^[a-z'-]+$/.test(word));
  const name = end === -1 ? rest : rest.slice(0, end);
  if (name.length === 0 || noNames.has(name[0] ?? '')) return undefined;
  return name.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(' ');
}
