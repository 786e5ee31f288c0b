/**
 * Tells "mhm" from a claim to the floor. The rule of the back-channel test of CANDOR (Reece et al., 2023,
 * "The CANDOR corpus"): at most three words, most of them from a list, not beginning like a sentence; and none that
 * wants something, such as "stop".
 */

/** English words that show attention and claim nothing. */
export const englishBackChannels: ReadonlySet<string> = new Set(
  (
    'a ah aha alright awesome cool dope e exactly god gotcha hm hmm huh mhm mm mmm nice oh okay ok ' +
    'really right sick sucks sure uh uhh um umm uhhuh wow yeah yep yes yup'
  ).split(' '),
);

const sentenceOpeners: ReadonlySet<string> = new Set(
  "and but i i'm it it's like so that that's we we're well you you're".split(' '),
);

/** Words that want something, whatever stands beside them; unless a list of back-channels has them. */
const demands: ReadonlySet<string> = new Set('stop wait no actually hold cancel quiet'.split(' '));

const longestBackChannel = 3;

/** The words of a transcript, lower case, without punctuation; a lone letter that is no word is a fragment and left out. */
export function wordsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
  return words.filter(
    (word) => word.length > 1 || /[\p{N}aeio]/u.test(word) || /\P{ASCII}/u.test(word),
  );
}

/** Sounds that recognisers write down as words. */
const hesitations: ReadonlySet<string> = new Set(
  'a ah aha e eh er ha hm hmm huh mhm mm mmm o oh uh uhh uhhuh uhm um umm'.split(' '),
);

/** True when there are words that may be meant for somebody: "yes", not "uh". */
export function saysSomething(text: string): boolean {
  return wordsOf(text).some((word) => !hesitations.has(word));
}

/** True for what claims nothing: no words at all, or a back-channel. */
export function isBackChannel(
  text: string,
  list: ReadonlySet<string> = englishBackChannels,
): boolean {
  const words = wordsOf(text);
  const first = words[0];
  if (first === undefined) return true;
  if (words.length > longestBackChannel || sentenceOpeners.has(first)) return false;
  if (words.some((word) => demands.has(word) && !list.has(word))) return false;
  return words.filter((word) => list.has(word)).length > words.length / 2;
}
