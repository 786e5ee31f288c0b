import { describe, expect, it } from 'vitest';
import {
  alignTokens,
  parseGroups,
  parsePhones,
  shareOut,
} from '../../../src/speech/tts/phone-alignment.ts';

// "the apple, sir": flite's own output, with "the" said before a vowel.
const printed =
  'pau:0.200 dh:0.250 iy:0.300 ae:0.450 p:0.550 ax:0.600 l:0.700 pau:0.800 s:0.900 er:1.000 pau:1.100 \n';
const phones = parsePhones(printed);

describe('where words begin', () => {
  it('reads phones with their times', () => {
    expect(phones).toHaveLength(11);
    expect(phones[1]).toEqual({ name: 'dh', start: 0.2, end: 0.25 });
  });

  it('reads the tokens between pauses', () => {
    expect(parseGroups('pau dh ax pau ae p ax l pau \n')).toEqual([
      ['dh', 'ax'],
      ['ae', 'p', 'ax', 'l'],
    ]);
    expect(parseGroups('')).toEqual([]);
  });

  it('finds each token although a vowel changed, and skips pauses', () => {
    const times = alignTokens(phones, [
      ['dh', 'ax'],
      ['ae', 'p', 'ax', 'l'],
      ['s', 'er'],
    ]);
    expect(times).toEqual([
      { start: 0.2, end: 0.3 },
      { start: 0.3, end: 0.7 },
      { start: 0.8, end: 1 },
    ]);
  });

  it('finds the others when one token was read quite differently', () => {
    const times = alignTokens(phones, [
      ['dh', 'ax'],
      ['w', 'ah', 'n', 'z', 'g', 'k'],
      ['s', 'er'],
    ]);
    expect(times[0]).toEqual({ start: 0.2, end: 0.3 });
    expect(times[2]).toEqual({ start: 0.8, end: 1 });
  });

  it('says nothing of a token that is not there', () => {
    expect(
      alignTokens(phones, [['dh', 'iy', 'ae', 'p', 'ax', 'l', 's', 'er'], []])[1],
    ).toBeUndefined();
    expect(alignTokens([], [['s']])).toEqual([undefined]);
  });

  it('shares time out by length when nothing is known, in order', () => {
    const times = shareOut(phones, [3, 5, 3]);
    expect(times.map((time) => time?.start)).toEqual([0.2, 0.3, 0.8]);
  });
});
