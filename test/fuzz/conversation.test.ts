/** Whole conversations by voice, whoever says what when: nothing is lost, nothing hangs, what was heard is what was played. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageText } from '../../src/core/element.ts';
import {
  fakeClock,
  reply,
  runOffline,
  scriptedProvider,
  toneLanguage,
  user,
  type OfflineOptions,
  type UserStep,
} from '../../src/testing/index.ts';
import { runs } from './runs.ts';

const words = ['alpha', 'bravo', 'charlie', 'delta', 'echo', 'foxtrot', 'golf', 'hotel'];
const sentence = fc
  .array(fc.constantFrom(...words), { minLength: 1, maxLength: 6 })
  .map((some) => some.join(' '));

/** What the person does; the first step is always a question. */
const step: fc.Arbitrary<UserStep> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(sentence, fc.integer({ min: 260, max: 450 }))
      .map(([text, ms]) => user.says(text, text.split(' ').length * ms)),
  },
  { weight: 3, arbitrary: fc.integer({ min: 100, max: 2500 }).map((ms) => user.pauses(ms)) },
  { weight: 2, arbitrary: fc.constant(user.hearsAll()) },
  { weight: 1, arbitrary: fc.constant(user.says('mhm', 200)) },
  {
    weight: 1,
    arbitrary: sentence.map((text) => user.types(text)),
  },
);

const answer = fc.record({
  text: fc
    .array(sentence, { minLength: 0, maxLength: 3 })
    .map((some) => some.map((one) => `${one}. `).join('')),
  waitMs: fc.integer({ min: 0, max: 1500 }),
});

const plain = (text: string): string[] => text.toLowerCase().match(/[a-z]+/g) ?? [];

describe('a conversation of any kind', () => {
  it('ends, and its books are right', { timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 7 }),
        fc.array(answer, { minLength: 1, maxLength: 4 }),
        fc.record({ recognizerMs: fc.nat(400), synthesizerMs: fc.nat(300) }),
        fc.constantFrom(16_000, 24_000, 48_000),
        async (steps, answers, latency, sampleRate) => {
          const clock = fakeClock();
          const language = toneLanguage();
          let asked = 0;
          const next = () => {
            const { text, waitMs } = answers[asked++ % answers.length] ?? { text: '', waitMs: 0 };
            return scriptedProvider([[reply.wait(waitMs), ...(text.match(/\S+\s*/g) ?? [])]], {
              clock,
            });
          };
          const options: OfflineOptions = {
            user: steps,
            provider: next,
            clock,
            language,
            latency,
            sampleRate,
          };
          const { messages, spoken, heard, events, log } = await runOffline(options);
          try {
            // What was heard is a beginning of what was handed to the voice, and that of what was written.
            for (const message of messages.filter(({ role }) => role === 'assistant')) {
              expect(message.generated?.startsWith(message.queued ?? '')).toBe(true);
              expect(message.queued?.startsWith(message.heard ?? '')).toBe(true);
            }
            // Every turn that was begun is over, in the order of their numbers.
            const turns = events.flatMap((event) =>
              event.type === 'turn' ? [event.detail.turn] : [],
            );
            expect(turns).toEqual([...new Set(turns)].toSorted((a, b) => a - b));
            // What the loudspeaker played is what was heard, and at most one unfinished word for each cut.
            const played = language.understand(spoken).map(({ text }) => text);
            const rest = messages
              .filter(({ role }) => role === 'assistant')
              .flatMap((message) => plain(message.heard ?? ''));
            for (const word of played) if (word === rest[0]) rest.shift();
            expect(rest).toEqual([]);
            // Nothing that was said is lost or doubled: but for sounds that were no turn, every word is in a message.
            const said = language.understand(heard).map(({ text }) => text);
            const understood = messages
              .filter(({ role }) => role === 'user')
              .flatMap((message) => plain(messageText(message)));
            const typed = steps.flatMap((one) => (one.type === 'types' ? plain(one.text) : []));
            expect(understood.filter((word) => word !== 'mhm').length).toBe(
              said.filter((word) => word !== 'mhm').length + typed.length,
            );
          } catch (error) {
            (error as Error).message += `\n${log}`;
            throw error;
          }
        },
      ),
      // A conversation takes about a second, and is shrunk by hand: its log says what happened.
      { numRuns: Math.max(6, runs().numRuns / 50), endOnFailure: true },
    );
  });
});
