/** Slow work on some elements of a stream, finished in any order. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deferred } from '../../src/core/deferred.ts';
import { element, type StreamElement } from '../../src/core/element.ts';
import { putAside } from '../../src/stages/conversation/put-aside.ts';
import { runs, settle } from './runs.ts';

const overtaking = new Set(['audio', 'transcript', 'speech-start']);

describe('putAside()', () => {
  it('reads on past what may overtake, and holds no more than 64 of the rest', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('text', 'audio', 'turn-end'), { minLength: 60, maxLength: 200 }),
        async (plan) => {
          const opened = deferred<void>();
          const first = element('text', { text: 'slow', delta: false });
          const rest = plan.map((kind, at): StreamElement => {
            if (kind === 'audio')
              return element('audio', { at, samples: new Float32Array(1), sampleRate: 8000 });
            if (kind === 'turn-end') return element('turn-end', { at });
            return element('text', { at, text: kind, delta: false });
          });
          let read = 0;
          const source = (async function* () {
            for (const one of [first, ...rest]) {
              read += 1;
              yield one;
            }
          })();
          const outputs: StreamElement[] = [];
          const reading = (async () => {
            const work = (item: StreamElement) =>
              item === first ? opened.promise.then(() => [item]) : undefined;
            for await (const one of putAside(source, work)) outputs.push(one);
          })();
          for (let before = -1; before < read;) {
            before = read;
            await settle();
          }
          // It has read until it was full, or all; what may overtake is out.
          const isLive = ({ kind }: StreamElement): boolean => overtaking.has(kind);
          const held = read - outputs.length;
          expect(outputs).toEqual([first, ...rest].slice(0, read).filter(isLive));
          expect(held).toBeLessThanOrEqual(64);
          if (read <= rest.length) expect(held).toBe(64);
          opened.resolve();
          await reading;
          expect(outputs).toHaveLength(rest.length + 1);
          expect(outputs.filter((one) => !isLive(one))).toEqual(
            [first, ...rest].filter((one) => !isLive(one)),
          );
        },
      ),
      runs(),
    );
  });

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
