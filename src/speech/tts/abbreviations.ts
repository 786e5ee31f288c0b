/** English abbreviations, as far as they decide whether a full stop ends a sentence. */

/** Never the end of a sentence: something they belong to follows. */
const leading = new Set(
  (
    'dr mr mrs ms mx prof rev hon st mt ft gen sen rep gov capt cpt col lt sgt maj cmdr pres ' +
    'e.g i.e eg ie cf vs v al viz approx ca est fig figs eq sec ch vol nos no pp ed eds op dept'
  ).split(' '),
);

/** May end a sentence: only when the next word looks like the beginning of one. */
const trailing = new Set(
  (
    'etc inc ltd co corp bros jr sr esq a.m p.m am pm u.s u.k u.n e.u d.c ph.d b.a m.a b.c a.d ' +
    'jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun ' +
    'ave blvd rd ln hwy apt min max hr hrs sec mins'
  ).split(' '),
);

/** Words that begin sentences and rarely a name; they tell "the U.S. But" from "the U.S. Army". */
const starters = new Set(
  (
    'a an and are as at but can could did do does for from he her here his how however i if in is it its ' +
    'let maybe my no not now on one or our please she should so some that the their then there these they ' +
    'this those to was we well were what when where which while who why will with would yes you your'
  ).split(' '),
);

/** What a full stop after `word` (its inner stops kept, the last one left off) says. */
export type StopAfter = 'never' | 'starter' | 'usual';

/**
 * `never`: no sentence ends here. `starter`: one does if {@link startsSentence} holds for the next word.
 * `usual`: the word says nothing.
 */
export function stopAfter(word: string): StopAfter {
  const plain = word.toLowerCase();
  if (leading.has(plain)) return 'never';
  if (/^(?:[ap]\.?m|etc)$/.test(plain)) return 'usual';
  if (trailing.has(plain)) return 'starter';
  if (/^\p{Lu}$/u.test(word)) return word === 'I' ? 'usual' : 'never';
  return /^(?:\p{L}\.)+\p{L}$/u.test(word) ? 'starter' : 'usual';
}

/** True for a word, in lower or upper case, that commonly begins a sentence. */
export function startsSentence(word: string): boolean {
  return starters.has(word.toLowerCase());
}
