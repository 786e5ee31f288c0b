import { describe, expect, it } from 'vitest';
import { SentenceSplitter } from '../../../src/speech/tts/sentence-splitter.ts';

/** Splits what arrives in the given increments. */
function split(increments: readonly string[], splitter = new SentenceSplitter()): string[] {
  return [...increments.flatMap((text) => splitter.push(text)), ...splitter.flush()];
}

const table: readonly (readonly [why: string, pieces: readonly string[]])[] = [
  ['a title', ['Dr. Smith met Mrs. Jones. ', 'They talked.']],
  ['a Latin abbreviation', ['Bring e.g. apples i.e. food. ', 'Then eat.']],
  ['a country, then a sentence', ['She lives in the U.S. ', 'But he does not.']],
  ['a country, then its name going on', ['She joined the U.S. Army. ', 'He did not.']],
  ['a time of day', ['It opens at 10 a.m. ', 'We go then.']],
  ['decimals, prices and times', ['It costs $3.14 at 10.30 sharp. ', 'Yes.']],
  ['an address', ['See https://example.com/a.b?c=d.e for it. ', 'Good.']],
  ['a file name', ['Open index.html in Node.js now. ', 'Done.']],
  ['initials', ['J. R. R. Tolkien wrote it. ', 'So there.']],
  ['the pronoun at the end', ['It was I. ', 'Really.']],
  ['an ellipsis inside a sentence', ['Well... maybe not. ', 'Who knows?']],
  ['an ellipsis that ends one', ['Well... ', 'Who knows?']],
  ['a question', ['Who knows? ', 'I do!']],
  ['a quote that never ends', ['He said "hello there. ', 'Then he left. ', 'Bye.']],
  ['a bracket that never ends', ['It rains (a lot. ', 'Then it stops.']],
  ['a closing quote', ['He said "hello." ', 'Then he left.']],
  ['an exclamation inside a quote', ['"Stop!" he said. ', 'She did.']],
  ['a company', ['Acme Inc. makes rockets. ', 'They fly.']],
  ['a street', ['It is at 5 Main St. in town. ', 'Come in.']],
  ['Chinese', ['你好。', '今天天气很好！', '走吧。']],
  ['Japanese quotes', ['「はい。」', 'そうです。']],
  ['a numbered list', ['Do this:\n', '1. Open it.\n', '2. Close it.']],
  ['bullets', ['- bread\n', '- butter\n', '- jam']],
  ['a paragraph', ['One thing\n\n', 'another thing']],
  ['a line wrapped within a sentence', ['This line\nis wrapped. ', 'Yes.']],
  ['a heading', ['# Title\n', 'Some text.']],
  ['code, in one piece', ['Try it:\n', '```js\nlet a = 1. b;\nFoo. Bar\n```\n', 'Good?']],
  ['code that never ends', ['Try it:\n', '```js\nlet a = 1. b;\nFoo. Bar']],
];

describe('where text is cut', () => {
  for (const [why, pieces] of table)
    it(`survives ${why}`, () => {
      expect(split([pieces.join('')])).toEqual(pieces);
    });

  it('begins early: at a comma behind enough words', () => {
    expect(split(['Sure, the museum opens at ten, and it closes at six. Bye.'])).toEqual([
      'Sure, the museum opens at ten, ',
      'and it closes at six. ',
      'Bye.',
    ]);
  });

  it('begins early: before a connecting word when no comma comes', () => {
    const [first] = split([
      'The little museum on the other side of the river opens because people ask',
    ]);
    expect(first?.length).toBeLessThanOrEqual(61);
    expect(first).toBe('The little museum on the other side of the river opens ');
  });

  it('is whole sentences behind the first piece', () => {
    const pieces = split(['Yes. The museum, which is old, opens at ten, and it closes at six.']);
    expect(pieces).toEqual([
      'Yes. ',
      'The museum, which is old, opens at ten, and it closes at six.',
    ]);
  });

  it('is short again at the beginning of the next reply', () => {
    const splitter = new SentenceSplitter();
    split(['A first reply.'], splitter);
    expect(split(['Sure, this one too, I think it is.'], splitter)[0]).toBe('Sure, this one too, ');
  });

  it('does not wait for more than the next sign behind an end', () => {
    const splitter = new SentenceSplitter();
    expect(splitter.push('It is five.')).toEqual([]);
    expect(splitter.push(' ')).toEqual([]);
    expect(splitter.push('W')).toEqual(['It is five. ']);
  });

  it('forgets the rest when reset', () => {
    const splitter = new SentenceSplitter();
    splitter.push('half a sen');
    expect(splitter.pending).toBe(true);
    splitter.reset();
    expect(splitter.flush()).toEqual([]);
  });

  it('refuses lengths no word fits in', () => {
    expect(() => new SentenceSplitter({ maxChars: 5 })).toThrow(/room for words/);
  });
});

describe('whatever is written', () => {
  it('never cuts a character in two', () => {
    expect(split(['😀'.repeat(200)]).every((piece) => !/^[\udc00-\udfff]/.test(piece))).toBe(true);
  });

  it('handles a million characters without a space', () => {
    const pieces = split(['x'.repeat(1_000_000)]);
    expect(pieces.join('').length).toBe(1_000_000);
  });
});
