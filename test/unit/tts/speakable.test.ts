import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fliteWords, separated } from '../../../src/speech/tts/flite-text.ts';
import { speakable } from '../../../src/speech/tts/speakable.ts';

/** What is said for a text, in one line. */
const said = (text: string): string =>
  speakable(text)
    .map((word) => word.spoken)
    .filter((spoken) => spoken !== '')
    .join(' ');

const table: readonly (readonly [written: string, spoken: string])[] = [
  [
    'Hello **world**, this is `code` and ~~not~~ _this_!',
    'Hello world, this is code and not this!',
  ],
  ['# Title\nText.', 'Title, Text.'],
  ['- bread\n* butter\n+ jam', 'bread, butter, jam'],
  ['1. first\n2. second', '1. first, 2. second'],
  ['> quoted\n---\nend', 'quoted, end'],
  ['| a | b |\n|---|---|\n| 1 | 2 |', 'a, b, 1, 2,'],
  ['Try:\n```js\nlet x = 1;\n```\nGood?', 'Try: Good?'],
  ['```\nnever closed', ''],
  ['See [the docs](https://a.b/c(d) "t") and ![a cat](cat.png).', 'See the docs and a cat.'],
  ['Go to https://www.example.com/a/b?c=1.', 'Go to example dot com.'],
  ['<https://foo.org> or <b>bold</b>', 'foo dot org or bold'],
  ['Mail bob@mail.example.com now', 'Mail bob at mail dot example dot com now'],
  ['Open index.html in Node.js.', 'Open index dot html in Node dot js.'],
  ['ok 😀 👍🏽 🇩🇪 1️⃣ yes', 'ok 1 yes'],
  ['€5.50 or £3,000 or $4', '5.50 euros or 3,000 pounds or $4'],
  ['3 * 4 = 12, 5–10, 2020-05-01', '3 times 4 equals 12, 5 to 10, 2020-05-01'],
  [
    '20°C, ~5 km, ±2, x ≤ 3, a -> b',
    '20 degrees Celsius, about 5 km, plus or minus 2, x at most 3, a to b',
  ],
  ['salt & pepper #1 in C#', 'salt and pepper number 1 in C#'],
  ['wait… what — really?', 'wait, what, really?'],
  ['snake_case and {braces} [x]', 'snake case and braces x'],
  ['e.g. the U.S. at 10:30 a.m.', 'e.g. the U.S. at 10:30 a.m.'],
];

describe('what is said for a writing', () => {
  for (const [written, spoken] of table)
    it(`says ${JSON.stringify(written)}`, () => {
      expect(said(written)).toBe(spoken);
    });

  it('is silent for nothing, white space, marks and emoji', () => {
    for (const text of ['', ' \n ', '***', '...', '😀', '---', '|', '—'])
      expect([text, said(text)]).toEqual([text, '']);
  });

  it('keeps the writing of every word with the white space behind it', () => {
    expect(speakable('  Hi **you**,\n ok ')).toEqual([
      { text: '  Hi ', spoken: 'Hi' },
      { text: '**you**,\n ', spoken: 'you,' },
      { text: 'ok ', spoken: 'ok' },
    ]);
  });

  it('takes each Chinese sign as a word', () => {
    expect(speakable('你好。 Hello').map((word) => word.text)).toEqual(['你', '好。 ', 'Hello']);
  });

  it('never loses a character of any text', () => {
    const mark = fc.constantFrom(
      '**',
      '`',
      '```',
      '\n',
      ' ',
      '[a](b)',
      '<b>',
      '😀',
      '—',
      '你',
      'Dr. ',
      '|',
      '# ',
    );
    const text = fc
      .array(fc.oneof(mark, fc.string({ unit: 'binary' })))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (text) => {
        expect(
          speakable(text)
            .map((word) => word.text)
            .join(''),
        ).toBe(text);
        expect(
          fliteWords(text)
            .map((word) => word.text)
            .join(''),
        ).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('text for flite', () => {
  const tokens = (text: string): string[] => fliteWords(text).flatMap((word) => word.tokens);

  it('is plain ASCII, accents left off', () => {
    expect(tokens('naïve café Straße “quoted” Łódź')).toEqual([
      'naive',
      'cafe',
      'Strasse',
      '"quoted"',
      'Lodz',
    ]);
  });

  it('leaves out scripts flite has no sounds for', () => {
    expect(tokens('你好 Привет hello')).toEqual(['hello']);
  });

  it('says the parts of names in camel case', () => {
    expect(tokens('ProviderStage of McDonald')).toEqual(['Provider', 'Stage', 'of', 'McDonald']);
  });

  it('ends every token with a pause in the second reading', () => {
    expect(separated(['Hello,', 'J.', '(yes)', '$3.50.'])).toBe('Hello, j, (yes, $3.50,');
  });
});
