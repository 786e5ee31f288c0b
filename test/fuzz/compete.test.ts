/** Stages that compete, under any pace of theirs, with control among what they share out. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { element, isControl, type StreamElement } from '../../src/core/element.ts';
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import { transform } from '../../src/core/stage/define-stage.ts';
import { compete } from '../../src/stages/flow/compete.ts';
import { runs } from './runs.ts';

/** What is sent: a job with how many things are said about it, something else, or control. */
const sent = fc.oneof(
  { weight: 5, arbitrary: fc.record({ job: fc.nat({ max: 4 }) }) },
  { weight: 1, arbitrary: fc.constant('other') },
  { weight: 1, arbitrary: fc.constant('control') },
);

const label = (one: StreamElement): string =>
  one.kind === 'text' || one.kind === 'transcript' ? one.text : one.kind;

describe('compete()', () => {
  it('loses and doubles nothing, keeps what order it is to keep, and ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(sent, { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom('kept', 'free'),
        async (scheduler, plan, size, order) => {
          const input = plan.map((what, index): StreamElement => {
            if (what === 'control') return element('speech-start', { turn: index });
            if (what === 'other')
              return element('transcript', { text: `${index}`, final: true, turn: index });
            const text = `${index}`;
            return element('text', { text, delta: false, turn: index, meta: { says: what.job } });
          });
          let busy = 0;
          const worker = (name: string) =>
            transform({
              name,
              consumes: ['text'],
              emits: ['text'],
              async *process(one) {
                busy += 1;
                expect(busy).toBeLessThanOrEqual(size);
                for (let part = 0; part < Number(one.meta?.['says']); part += 1) {
                  await scheduler.schedule(Promise.resolve());
                  yield { ...one, text: `${one.text}.${part}` };
                }
                await scheduler.schedule(Promise.resolve());
                busy -= 1;
              },
            });
          const workers = Array.from({ length: size }, (_, index) => worker(`w${index}`));
          const result = new PipelineBuilder()
            .chain(compete('pool', workers, { order }))
            .build()
            .executeSync(...input);
          await scheduler.waitFor(result);
          const outputs = (await result).outputs.slice(0, -1);
          const expected = input.flatMap((one) => {
            if (one.kind !== 'text') return [label(one)];
            const says = Number(one.meta?.['says']);
            return Array.from({ length: says }, (_, part) => `${one.text}.${part}`);
          });
          const seen = outputs.map(label);
          if (order === 'kept') expect(seen).toEqual(expected);
          expect(seen.toSorted()).toEqual(expected.toSorted());
          // Whatever came before control leaves before it, and what came after it after it.
          outputs.forEach((one, place) => {
            if (!isControl(one)) return;
            for (const before of outputs.slice(0, place))
              expect(before.turn).toBeLessThan(one.turn);
            for (const after of outputs.slice(place + 1))
              expect(after.turn).toBeGreaterThan(one.turn);
          });
          // What is said about one element keeps its order.
          for (let turn = 0; turn < plan.length; turn += 1) {
            const own = seen.filter((each) => each.startsWith(`${turn}.`));
            expect(own).toEqual(own.toSorted());
          }
        },
      ),
      runs(),
    );
  });
});
