/** The sentence splitter on text in which everything that matters to it is frequent, delivered anyhow. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SentenceSplitter, splitSentences } from '../../src/speech/tts/sentence-splitter.ts';
import { runs } from './runs.ts';

const split = (increments: readonly string[], splitter = new SentenceSplitter()): string[] => [
  ...increments.flatMap((text) => splitter.push(text)),
  ...splitter.flush(),
];

const writing = fc
  .array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom('word', 'The', 'a', 'Dr.', 'U.S.', 'e.g.', '3.14', '1.'),
      },
      {
        weight: 4,
        arbitrary: fc.constantFrom(' ', '. ', ', ', '? ', '! ', '\n', '\n\n', '... ', '。'),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom('"', '(', '```', '`', '😀', '你好', '- ', '—', '\t  '),
      },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
    ),
    { maxLength: 120 },
  )
  .map((parts) => parts.join(''));

/** Text and how it is cut into increments. */
const delivery = writing.chain((text) =>
  fc.tuple(
    fc.constant(text),
    fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 40 }).map((cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), text.length];
      return at.slice(1).map((end, i) => text.slice(at[i], end));
    }),
  ),
);

const options = fc.record({
  maxChars: fc.integer({ min: 20, max: 300 }),
  firstMaxChars: fc.integer({ min: 20, max: 100 }),
  firstMinWords: fc.nat(6),
});

describe('the sentence splitter', () => {
  it('loses nothing, keeps the order, and cuts at the same places however the text is delivered', () => {
    fc.assert(
      fc.property(delivery, options, ([text, increments], options) => {
        const whole = split([text], new SentenceSplitter(options));
        expect(whole.join('')).toBe(text);
        expect(split(increments, new SentenceSplitter(options))).toEqual(whole);
        expect(split(text.split(''), new SentenceSplitter(options))).toEqual(whole);
      }),
      runs(),
    );
  });

  it('keeps pieces short, none empty, code apart', () => {
    fc.assert(
      fc.property(writing, fc.integer({ min: 20, max: 200 }), (text, maxChars) => {
        for (const piece of splitSentences(text, { maxChars })) {
          expect(piece.length).toBeGreaterThan(0);
          if (!piece.startsWith('```'))
            expect(piece.trimEnd().length).toBeLessThanOrEqual(maxChars + 64);
        }
      }),
      runs(),
    );
  });

  it('never holds more than a piece may be long, and starts each reply afresh', () => {
    fc.assert(
      fc.property(fc.array(delivery, { maxLength: 4 }), options, (replies, options) => {
        const splitter = new SentenceSplitter(options);
        for (const [text, increments] of replies) {
          let given = 0;
          let taken = 0;
          for (const increment of increments) {
            given += increment.length;
            for (const piece of splitter.push(increment)) taken += piece.length;
            // A block of code waits for its end; nothing else waits longer than it takes to decide.
            if (!text.includes('```'))
              expect(given - taken).toBeLessThanOrEqual(options.maxChars + 64);
          }
          splitter.flush();
          expect(splitter.pending).toBe(false);
        }
      }),
      runs(),
    );
  });
});
