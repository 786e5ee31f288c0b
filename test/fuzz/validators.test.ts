/** Validators and the stage that asks them, on replies chopped up anyhow, with interrupts among them. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { element, messageText, textMessage, type StreamElement } from '../../src/core/element.ts';
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import {
  ValidationStage,
  type ValidationOptions,
} from '../../src/stages/conversation/validation-stage.ts';
import {
  bannedWords,
  maxLength,
  maxSentences,
  type StreamingValidator,
} from '../../src/stages/conversation/validators.ts';
import { customValidator, requiredFields } from '../../src/stages/conversation/whole-validators.ts';
import { runOn } from '../../src/testing/stage-context.ts';
import { assistant, brief, turnEnd, user } from '../unit/conversation/helpers.ts';
import { runs } from './runs.ts';

const words = [
  'ass',
  'big',
  'deal',
  'hat',
  'class',
  'ok',
  'big ',
  'big deal',
  'big ass',
  ' hat',
  ' ',
  '  ',
  '\n',
  '. ',
  '! ',
  '。',
  '”',
];
const word = fc.constantFrom(...words, '"', ',', 'é', '́', '🙂', '坏人', 'A');
const text = fc
  .array(fc.oneof({ weight: 6, arbitrary: word }, { weight: 1, arbitrary: fc.string() }), {
    maxLength: 24,
  })
  .map((parts) => parts.join(''));
const cuts = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 20 });

const streaming: readonly StreamingValidator[] = [
  bannedWords(['ass', 'big deal', 'big ass hat', '坏人']),
  maxSentences(2),
  maxLength({ characters: 20 }),
  // So short that the cut is inside a word more often than not.
  maxLength({ characters: 4 }),
];
const mode = fc.constantFrom('block' as const, 'replace' as const);

function chop(whole: string, cuts: readonly number[]): string[] {
  const ends = [...cuts.toSorted((a, b) => a - b), whole.length];
  return ends.map((end, index) => whole.slice(ends[index - 1] ?? 0, end));
}

/** A reply as a provider streams it: deltas, the whole, the end of the turn. */
const reply = (pieces: readonly string[], turn = 1): StreamElement[] => [
  ...pieces.map((text) => element('text', { text, delta: true, role: 'assistant', turn })),
  assistant(pieces.join(''), turn),
  turnEnd(turn),
];

const said = (outputs: readonly StreamElement[]): string =>
  outputs.map((item) => (item.kind === 'text' && item.delta ? item.text : '')).join('');

const verdict = (outputs: readonly StreamElement[]): unknown => ({
  said: said(outputs),
  rest: brief(outputs.filter(({ kind }) => kind !== 'text')),
  notes: outputs.map(({ meta }) => meta?.['validation']).filter(Boolean),
});

const judged = (options: ValidationOptions, inputs: StreamElement[]): Promise<StreamElement[]> =>
  runOn(new ValidationStage(options), inputs);

describe('a streaming validator', () => {
  it('never takes back what it called safe, and decides the same on every beginning that decides', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(...streaming), (whole, validator) => {
        const final = validator.scan(whole, true);
        let safe = 0;
        for (let length = 0; length <= whole.length; length += 1) {
          const scan = validator.scan(whole.slice(0, length), false);
          if (scan.violation) {
            expect(scan.violation.at).toBe(final.violation?.at);
            return;
          }
          expect(scan.safe).toBeGreaterThanOrEqual(safe);
          expect(scan.safe).toBeLessThanOrEqual(length);
          safe = scan.safe;
          if (final.violation) expect(safe).toBeLessThanOrEqual(final.violation.at);
        }
      }),
      runs(),
    );
  });
});

describe('ValidationStage', () => {
  it('comes to the same verdict and text however a reply is chopped up', async () => {
    await fc.assert(
      fc.asyncProperty(
        text,
        cuts,
        fc.subarray([...streaming]),
        mode,
        async (whole, cuts, output, onFailure) => {
          const options = { output, onFailure };
          const once = await judged(options, reply([whole]));
          const many = await judged(options, reply(chop(whole, cuts)));
          expect(verdict(many)).toEqual(verdict(once));
          const message = many.find((item) => item.kind === 'message');
          // What was said is what the message says.
          expect(message && messageText(message.message)).toBe(said(many));
        },
      ),
      runs(),
    );
  });

  it('says nothing that a validator refuses, whole or not', async () => {
    const whole = [
      requiredFields(['ok']),
      customValidator('no hats', (text) => (text.includes('hat') ? 'a hat' : undefined)),
    ];
    await fc.assert(
      fc.asyncProperty(
        text,
        cuts,
        fc.subarray([...streaming]),
        fc.subarray(whole),
        async (text, cuts, streaming, whole) => {
          const output = [...streaming, ...whole];
          const heard = said(await judged({ output }, reply(chop(text, cuts))));
          expect(text.startsWith(heard)).toBe(true);
          if (heard === '') return;
          for (const validator of streaming)
            expect(validator.scan(heard, true).violation).toBeUndefined();
          if (whole.length > 0) expect(heard).toBe(text);
        },
      ),
      runs(),
    );
  });

  it('loses no message and no control in a live session of many turns, interrupted anywhere', async () => {
    const turn = fc.record({ asks: text, answers: text, cuts, interrupted: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(turn, { maxLength: 5 }),
        fc.subarray([...streaming]),
        fc.subarray([...streaming]),
        fc.constantFrom('block' as const, 'replace' as const, 'annotate' as const),
        async (turns, input, output, onFailure) => {
          const stage = new ValidationStage({ input, output, onFailure });
          const run = new PipelineBuilder({ session: 'live', channelBufferSize: 2 })
            .chain(stage)
            .build()
            .execute(
              turns.flatMap(({ asks, answers, cuts, interrupted }, index) => {
                const turn = index + 1;
                const [first, ...rest] = reply(chop(answers, cuts), turn);
                return [
                  user(asks, turn),
                  first!,
                  ...(interrupted ? [element('interrupt', { turn })] : []),
                  ...rest,
                ];
              }),
            );
          const seen: StreamElement[] = [];
          for await (const one of run) seen.push(one);
          for (const [index, { asks, answers, interrupted }] of turns.entries()) {
            const own = seen.filter(({ turn }) => turn === index + 1);
            const count = (kind: StreamElement['kind']): number =>
              own.filter((one) => one.kind === kind).length;
            expect(count('turn-end')).toBe(1);
            expect(count('interrupt')).toBeLessThanOrEqual(interrupted ? 1 : 0);
            const roles = own.flatMap((one) => (one.kind === 'message' ? [one.message.role] : []));
            const refused = own.some(
              ({ kind, ...one }) =>
                kind === 'error' && 'error' in one && one.error.details?.['direction'] === 'input',
            );
            expect(roles).toEqual(refused ? ['assistant'] : ['user', 'assistant']);
            if (onFailure === 'annotate') {
              const texts = own.flatMap((one) =>
                one.kind === 'message' ? [messageText(one.message)] : [],
              );
              expect(texts).toEqual([asks, answers]);
            }
          }
          const last = Math.max(
            0,
            ...turns.map(({ interrupted }, index) => (interrupted ? index + 1 : 0)),
          );
          const interrupts = seen.filter(({ kind }) => kind === 'interrupt');
          expect(interrupts.at(-1)?.turn ?? 0).toBe(last);
        },
      ),
      runs(),
    );
  });

  it('ends with its run while a validator of the author’s own never answers', async () => {
    const silent = customValidator('silent', () => new Promise(() => {}));
    await fc.assert(
      fc.asyncProperty(text, cuts, fc.boolean(), async (whole, cuts, interrupts) => {
        const controller = new AbortController();
        const elements = reply(chop(whole, cuts));
        const run = new PipelineBuilder({ session: 'live' })
          .chain(new ValidationStage({ output: [silent] }))
          .build()
          .execute(
            (async function* () {
              yield element('message', { message: textMessage('user', 'Hi'), turn: 1 });
              yield* elements;
              await Promise.resolve();
              if (interrupts) yield element('interrupt', { turn: 1 });
              else controller.abort();
            })(),
            { signal: controller.signal },
          );
        const kinds: string[] = [];
        try {
          for await (const one of run) kinds.push(one.kind);
          expect(interrupts).toBe(true);
          expect(kinds).toContain('turn-end');
        } catch (error) {
          expect(error).toMatchObject({ code: 'aborted' });
        }
        await run.done.catch(() => {});
      }),
      runs(),
    );
  });
});
