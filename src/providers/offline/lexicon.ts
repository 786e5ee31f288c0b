/** The words the assistant knows: those it listens for, and those it must not take for them. */
import { phrases } from './phrases.ts';

/** Words with a meaning of their own, besides those of the phrases. */
const meaningful =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen ' +
  'fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy ' +
  'eighty ninety hundred thousand million billion point half quarter third plus minus times ' +
  'divided multiplied by percent square squared cubed root of power double twice triple add ' +
  'subtract multiply divide sum product difference between from and to the a an for in is ' +
  'it i my me name call called timer timers alarm set start cancel stop left remaining ' +
  'second seconds minute minutes hour hours remind wake how much many long count down until ' +
  'joke jokes another say said repeat forget know please can could do you with';

/** Everyday words, and words that sound like numbers: a letter away from one that matters, yet what they are. */
const everyday =
  'time times timer timers mine fine line live give even ever never then than the they them there here where what ' +
  'when who how day days date say play stay way may today tomorrow yesterday made make take like count could call ' +
  'name same came game set get let said want went right might minutes minute second seconds hours hour stop start ' +
  'cancel plus minus left tell well will half have love move more most much must just last first work word world ' +
  'would should about above after other another weather whether good food cold told won wun too tu tow wo tree ' +
  'free thee fore fife sicks ate aid nein tin tan thing things think thought thinking something anything nothing ' +
  'everything big little long great old new very also back only come over know knew took see saw into your our ' +
  'his her him she he its which people from some these were was been being had has did does done because through ' +
  'why while still own under always often again off since until both few those such can shall find found gave ask ' +
  'asked need feel felt become became leave put keep kept begin began seem show hear heard run believe bring ' +
  'brought happen write wrote sit stand lose pay meet include continue learn change lead understand watch follow ' +
  'create speak read spend grow open walk win teach offer remember consider appear buy serve die send build fall ' +
  'cut reach kill raise pass sell decide return explain hope develop carry break receive agree support hit eat ' +
  'cover catch draw choose man men woman women child children life hand part place case week company system ' +
  'program question government number night point home water room mother area money story fact month lot study ' +
  'book eye job business issue side kind head house service friend father power end member law car city community ' +
  'president team idea body information parent face level office door health person art war history party result ' +
  'morning reason research girl guy moment air teacher force education boat river road fox dog quick brown ' +
  'beautiful three sun moon sky rain snow sea far away near high low boot shoe hat coat market apple apples ' +
  'sister brother family school apart upon between against';

/** What a misspelled word may be mended to. */
export const lexicon: ReadonlySet<string> = new Set([
  ...meaningful.split(' '),
  ...Object.values(phrases).flatMap((list) => list.flatMap((phrase) => phrase.split(' '))),
]);
const known: ReadonlySet<string> = new Set([...lexicon, ...everyday.split(' ')]);

/** True for a word that stands for itself, however near another one is. */
export function isKnown(word: string): boolean {
  return known.has(word);
}
