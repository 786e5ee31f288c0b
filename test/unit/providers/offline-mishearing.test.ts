import { describe, expect, it } from 'vitest';
import { plan } from '../../../src/providers/offline/plan.ts';

const sentences = [
  'what time is it',
  'tell me the time',
  'what is the date',
  'what day is it tomorrow',
  'what is seventeen plus twenty five',
  'what is two plus two',
  'five times six',
  'twelve divided by four',
  'what is the square root of sixteen',
  'twenty percent of fifty',
  'set a timer for five minutes',
  'set a timer for ten seconds',
  'cancel the timer',
  'how much time is left',
  'what is my name',
  'tell me a joke',
  'another one',
  'count to five',
  'what can you do',
  'who are you',
  'hello',
  'thank you',
  'goodbye',
  'how are you',
  'never mind',
  'repeat that',
  'what did you say',
  'what is one hundred minus forty two',
  'good morning',
  'what year is it',
];
/** Letters one takes for another by ear. */
const alike: Readonly<Record<string, string>> = {
  c: 'k',
  k: 'c',
  s: 'z',
  t: 'd',
  d: 't',
  b: 'p',
  p: 'b',
  m: 'n',
  n: 'm',
  f: 'v',
  i: 'e',
  e: 'i',
  a: 'e',
  o: 'u',
  u: 'o',
  y: 'i',
  g: 'k',
};

/** A reproducible source of numbers 0…1 (Numerical Recipes' linear congruential generator). */
function random(): () => number {
  let state = 1;
  return () => (state = (state * 1_664_525 + 1_013_904_223) >>> 0) / 2 ** 32;
}

/** One letter dropped, doubled or taken for another, or a space lost. */
function mishear(text: string, next: () => number): string {
  const at = Math.floor(next() * text.length);
  const letter = text.charAt(at);
  const kind = next();
  let instead = alike[letter] ?? 'e';
  if (letter === ' ') instead = kind < 0.5 ? '' : ' ';
  else if (kind < 0.4) instead = '';
  else if (kind > 0.85) instead = letter + letter;
  return text.slice(0, at) + instead + text.slice(at + 1);
}

describe('the offline assistant, misheard', () => {
  it('does the same for at least 19 of 20 sentences with one letter wrong', () => {
    const past = { asked: ['tell me a joke'], replied: ['Ha.'] };
    const next = random();
    const wrong: string[] = [];
    const rounds = 10;
    for (const sentence of sentences) {
      const meant = plan(sentence, past);
      for (let round = 0; round < rounds; round += 1) {
        const heard = mishear(sentence, next);
        if (JSON.stringify(plan(heard, past)) !== JSON.stringify(meant)) wrong.push(heard);
      }
    }
    expect(wrong.length, wrong.join(' | ')).toBeLessThanOrEqual((sentences.length * rounds) / 20);
  });

  it('does not take ordinary talk for a request', () => {
    const talk = [
      'the quick brown fox jumps over the lazy dog',
      'we went down to the river and the water was cold',
      'mister quilter is the apostle of the middle classes and we are glad to welcome his gospel',
      'estragon sitting on a low mound is trying to take off his boot',
      'painting is a beautiful thing if you have the patience',
    ];
    for (const sentence of talk)
      expect(plan(sentence, { asked: [], replied: [] }), sentence).toMatchObject({
        say: expect.stringContaining("can't answer that one yet"),
      });
  });
});
