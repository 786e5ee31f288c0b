/** Slow work on some elements of a stream, finished in any order. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { element, type StreamElement } from '../../src/core/element.ts';
import { putAside } from '../../src/stages/conversation/put-aside.ts';
import { runs } from './runs.ts';

const overtaking = new Set(['audio', 'transcript', 'speech-start']);

describe('putAside()', () => {
  it('loses and doubles nothing; what may overtake does not wait, the rest keeps its order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(
          fc.constantFrom('slow', 'text', 'turn-end', 'audio', 'transcript', 'speech-start'),
          {
            maxLength: 90,
          },
        ),
        async (scheduler, plan) => {
          const input = plan.map((kind, turn): StreamElement => {
            const facts = { turn };
            if (kind === 'audio')
              return element('audio', { ...facts, samples: new Float32Array(1), sampleRate: 8000 });
            if (kind === 'transcript')
              return element('transcript', { ...facts, text: '', final: false });
            if (kind === 'turn-end' || kind === 'speech-start') return element(kind, facts);
            return element('text', { ...facts, text: kind, delta: false });
          });
          const source = async function* () {
            for (const one of input) {
              await scheduler.schedule(Promise.resolve());
              yield one;
            }
          };
          const outputs: StreamElement[] = [];
          const consume = async (): Promise<void> => {
            const work = (item: StreamElement) =>
              item.kind === 'text' && item.text === 'slow'
                ? scheduler.schedule(Promise.resolve([item, { ...item, text: 'done' }]))
                : undefined;
            for await (const one of putAside(source(), work)) outputs.push(one);
          };
          await scheduler.waitFor(consume());
          const isLive = ({ kind }: StreamElement): boolean => overtaking.has(kind);
          const key = (one: StreamElement): string =>
            `${one.turn} ${one.kind === 'text' ? one.text : one.kind}`;
          const expected = input.flatMap((one) =>
            one.kind === 'text' && one.text === 'slow'
              ? [key(one), `${one.turn} done`]
              : [key(one)],
          );
          expect(outputs.map(key).toSorted()).toEqual(expected.toSorted());
          for (const live of [true, false]) {
            const turns = outputs.filter((one) => isLive(one) === live).map(({ turn }) => turn);
            expect(turns).toEqual(turns.toSorted((a, b) => a - b));
          }
          // Nothing overtakes but what may: a live element never comes later than it was sent.
          const place = new Map(outputs.map((one, index) => [one, index]));
          for (const one of outputs.filter(isLive)) {
            const before = outputs.slice(0, place.get(one)).filter((each) => !isLive(each));
            for (const each of before) expect(each.turn).toBeLessThan(one.turn);
          }
        },
      ),
      runs(),
    );
  });
});
