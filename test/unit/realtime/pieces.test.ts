import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unanswered } from '../../../src/agent/unanswered.ts';
import { textMessage } from '../../../src/core/element.ts';
import { DuplexSpeech } from '../../../src/stages/streaming/duplex/speech.ts';
import { speech } from './speech.ts';

const facts = { turn: 1, at: 0, source: 'duplex' };

describe('the words of a realtime reply', () => {
  it('are each given to the speech once and in order, whatever comes first', () => {
    const event = fc.oneof(
      fc.record({ text: fc.constantFrom('One', ' two', ', three. ', 'four ', '5, ', 'six') }),
      fc.record({ ms: fc.integer({ min: 1, max: 700 }) }),
      fc.constant('take' as const),
    );
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 40 }),
        fc.constantFrom(16_000, 48_000),
        (events, rate) => {
          const reply = new DuplexSpeech(facts, 24_000, rate);
          let text = '';
          let ms = 0;
          const pieces = [];
          for (const each of events)
            if (each === 'take') pieces.push(reply.next());
            else if ('text' in each) {
              text += each.text;
              reply.addText(each.text);
            } else {
              ms += each.ms;
              reply.addAudio(1, 'item', speech(each.ms));
            }
          reply.complete();
          for (let piece = reply.next(); piece; piece = reply.next()) pieces.push(piece);
          pieces.push(reply.last());
          const given = pieces.flatMap((piece) => piece ?? []);
          const samples = given.reduce((sum, piece) => sum + piece.samples.length, 0);
          expect(samples).toBe(Math.round((ms * rate) / 1000));
          if (samples > 0) {
            expect(given.map((piece) => piece.text).join('')).toBe(text);
            expect(reply.heardText(samples)).toBe(text);
          }
          for (const { samples: sound, marks = [], text: said } of given) {
            if (marks.length > 0) expect(marks.map((mark) => mark.text).join('')).toBe(said);
            const offsets = marks.map(({ offset }) => offset);
            expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
            for (const offset of offsets) expect(offset).toBeLessThanOrEqual(sound.length);
          }
          for (const share of [0, 0.3, 0.7])
            expect(text.startsWith(reply.heardText(samples * share))).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('tells where each item of the model lies in what was handed out', () => {
    const reply = new DuplexSpeech(facts, 24_000, 48_000);
    reply.addAudio(1, 'a', speech(100));
    reply.addAudio(1, 'b', speech(50));
    reply.addAudio(2, 'b', speech(50));
    reply.complete();
    expect(reply.items).toEqual([
      { session: 1, item: 'a', from: 0, to: 4800 },
      { session: 1, item: 'b', from: 4800, to: 7200 },
      { session: 2, item: 'b', from: 7200, to: 9600 },
    ]);
  });
});

describe('what is still to be answered', () => {
  const asked = textMessage('user', 'What time is it?');
  const reply = (finishReason: string) => textMessage('assistant', 'It is', { finishReason });

  it.each([
    ['nothing was said', [], undefined],
    ['a question without an answer', [asked], asked],
    ['an answer that broke off', [asked, reply('error')], asked],
    ['an answer', [asked, reply('stop')], undefined],
    ['an answer the person interrupted', [asked, reply('interrupted')], undefined],
    ['an answer after one that broke off', [asked, reply('error'), reply('stop')], undefined],
  ])('%s', (_, history, expected) => {
    expect(unanswered(history)).toBe(expected);
  });
});
