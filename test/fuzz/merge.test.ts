/** Fan-in: of channels, of the inputs of a stage with interrupts among them, of the branches of a graph. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { channel } from '../../src/core/channel/channel.ts';
import { merge } from '../../src/core/channel/merge.ts';
import {
  element,
  isInterruptible,
  type ElementBase,
  type StreamElement,
} from '../../src/core/element.ts';
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import { generate } from '../../src/core/stage/define-stage.ts';
import { Inbox } from '../../src/core/stage/inbox.ts';
import { MergeStage } from '../../src/stages/flow/merge-stage.ts';
import { runs, settle } from './runs.ts';

const lengths = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 5 });

describe('merge()', () => {
  it('keeps the order of each input, loses nothing and ends after the last', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        lengths,
        fc.integer({ min: 1, max: 4 }),
        async (scheduler, lengths, capacity) => {
          const inputs = lengths.map(() => channel<readonly [number, number]>({ capacity }));
          const produce = async (input: number): Promise<void> => {
            const { writer } = inputs[input]!;
            for (let value = 0; value < lengths[input]!; value += 1) {
              await scheduler.schedule(Promise.resolve());
              await writer.write([input, value]);
            }
            writer.close();
          };
          const merged: (readonly [number, number])[] = [];
          const consume = async (): Promise<void> => {
            for await (const value of merge(inputs.map(({ reader }) => reader))) {
              for (const { reader } of inputs) expect(reader.depth).toBeLessThanOrEqual(capacity);
              merged.push(value);
              await scheduler.schedule(Promise.resolve());
            }
          };
          await scheduler.waitFor(
            Promise.all([consume(), ...lengths.map((_, input) => produce(input))]),
          );
          for (const [input, length] of lengths.entries())
            expect(merged.filter(([from]) => from === input).map(([, value]) => value)).toEqual(
              Array.from({ length }, (_, value) => value),
            );
          expect(merged).toHaveLength(lengths.reduce((sum, length) => sum + length, 0));
        },
      ),
      runs(),
    );
  });

  it('takes turns between inputs that have something, whatever they have', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, async (lengths) => {
        const inputs = lengths.map((length, input) => {
          const { writer, reader } = channel<{ readonly input: number }>({ capacity: 12 });
          for (let value = 0; value < length; value += 1) writer.offer({ input });
          writer.close();
          return reader;
        });
        const left = [...lengths];
        const served = lengths.map(() => 0);
        for await (const { input } of merge(inputs)) {
          left[input]! -= 1;
          served[input]! += 1;
          // Nobody who still waits is more than one turn behind.
          for (const [other, count] of left.entries())
            if (count > 0) expect(served[other]!).toBeGreaterThanOrEqual(served[input]! - 1);
        }
        expect(left.every((count) => count === 0)).toBe(true);
      }),
      runs(),
    );
  });

  it('passes on the failure of any input, or the leaving of its reader, and lets go of all', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        lengths,
        fc.nat(12),
        fc.boolean(),
        async (scheduler, lengths, after, fails) => {
          const inputs = lengths.map(() => channel<number>({ capacity: 2 }));
          const writes = lengths.map(async (length, input) => {
            const { writer } = inputs[input]!;
            try {
              for (let value = 0; value < length; value += 1) {
                await scheduler.schedule(Promise.resolve());
                if (fails && input === 0 && value === after) throw new Error('torn');
                await writer.write(value);
              }
              writer.close();
            } catch (error) {
              writer.fail(error);
            }
          });
          let seen = 0;
          const read = async (): Promise<unknown> => {
            try {
              for await (const _ of merge(inputs.map(({ reader }) => reader))) {
                if (!fails && seen === after) break;
                seen += 1;
                await scheduler.schedule(Promise.resolve());
              }
            } catch (error) {
              return error;
            }
            return undefined;
          };
          const [error] = await scheduler.waitFor(Promise.all([read(), ...writes]));
          expect(error instanceof Error).toBe(fails && after < lengths[0]!);
          for (const { reader } of inputs) expect(reader.depth).toBe(0);
        },
      ),
      runs(),
    );
  });
});

function made(
  kind: 'text' | 'transcript' | 'turn-end',
  facts: Partial<ElementBase>,
): StreamElement {
  if (kind === 'text') return element('text', { ...facts, text: '', delta: true });
  if (kind === 'transcript') return element('transcript', { ...facts, text: '', final: true });
  return element('turn-end', facts);
}

describe('the input of a stage', () => {
  const turns = fc.integer({ min: 1, max: 6 });
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constantFrom('text' as const, 'transcript' as const, 'turn-end' as const),
        turn: turns,
        input: fc.nat(2),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('overtaking' as const, 'in line' as const, 'from outside' as const),
        turn: turns,
        input: fc.nat(2),
      }),
    },
    { weight: 4, arbitrary: fc.constant({ kind: 'read' as const, turn: 0, input: 0 }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('ends' as const),
        turn: fc.constant(0),
        input: fc.nat(2),
      }),
    },
  );

  it('never loses control or what people said, never voids newer turns, and keeps each order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const channels = [0, 1, 2].map(() => channel<StreamElement>({ capacity: 64 }));
        const forwarded: number[] = [];
        const inbox = new Inbox(
          channels.map(({ reader }) => reader),
          { onInterrupt: ({ turn }) => forwarded.push(turn) },
        );
        const signals = new Map([1, 2, 3, 4, 5, 6].map((turn) => [turn, inbox.turnSignal(turn)]));
        const sent: StreamElement[] = [];
        const received: StreamElement[] = [];
        let interrupted = 0;
        const open = new Set(channels);
        const end = (which: (typeof channels)[number]): void => {
          which.writer.offer(element('end', {}));
          which.writer.close();
          open.delete(which);
        };
        const see = (value: StreamElement | undefined): void => {
          if (!value) return;
          received.push(value);
          // What comes out was not void when it did.
          if (isInterruptible(value)) expect(signals.get(value.turn)?.aborted).toBe(false);
        };
        for (const [at, { kind, turn, input }] of steps.entries()) {
          const which = channels[input]!;
          const { writer } = which;
          const facts = { turn, at, source: String(input) };
          if (!open.has(which) && kind !== 'read' && kind !== 'from outside') continue;
          if (kind === 'ends') end(which);
          else if (kind === 'read') see(inbox.poll());
          else if (kind === 'from outside') inbox.interrupt(element('interrupt', facts));
          else if (kind === 'overtaking') writer.overtake(element('interrupt', facts));
          else if (kind === 'in line') writer.offer(element('interrupt', facts));
          else {
            const one = made(kind, facts);
            sent.push(one);
            writer.offer(one);
          }
          if (kind === 'overtaking' || kind === 'in line' || kind === 'from outside')
            interrupted = Math.max(interrupted, turn);
          if (kind === 'overtaking' || kind === 'from outside')
            expect(signals.get(turn)?.aborted).toBe(true);
        }
        // One that is left open has the `end` of the others wait for it.
        if (open.size > 0) expect(received.map(({ kind }) => kind)).not.toContain('end');
        for (const which of open) end(which);
        for await (const value of inbox) see(value);

        // An interrupt from outside may come later still.
        const plain = received.filter(({ kind }) => kind !== 'interrupt');
        expect(plain.pop()?.kind).toBe('end');
        expect(plain.map(({ kind }) => kind)).not.toContain('end');
        for (const input of ['0', '1', '2']) {
          const order = plain.flatMap(({ source, at }) => (source === input ? [at] : []));
          expect(order).toEqual(order.toSorted((a, b) => a - b));
        }
        expect(new Set(plain).size).toBe(plain.length);
        for (const one of sent)
          if (!isInterruptible(one) || one.turn > interrupted) expect(plain).toContain(one);
        const given = received.filter(({ kind }) => kind === 'interrupt').map(({ turn }) => turn);
        expect(given).toEqual([...new Set(given)].toSorted((a, b) => a - b));
        expect(given.at(-1) ?? 0).toBe(interrupted);
        expect(forwarded).toEqual(given);
        for (const [turn, { aborted }] of signals) expect(aborted).toBe(turn <= interrupted);
      }),
      runs(),
    );
  });

  it('leaves nobody waiting, whatever ends it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.constantFrom('abort' as const, 'cancel' as const, 'fail' as const, 'close' as const),
        async (steps, end) => {
          const { writer, reader } = channel<StreamElement>({ capacity: 2 });
          const inbox = new Inbox([reader]);
          const signal = inbox.turnSignal(7);
          let open = 0;
          for (const { kind, turn } of steps)
            if (kind === 'read') inbox.poll();
            else if (kind !== 'ends') {
              open += 1;
              const settled = (): void => void (open -= 1);
              writer.write(element('text', { text: '', delta: true, turn })).then(settled, settled);
            }
          const reading = (async () => {
            while (!(await inbox.next()).done);
          })();
          reading.catch(() => {});
          if (end === 'abort') inbox.abort(new Error('over'));
          else if (end === 'cancel') inbox.cancel();
          else if (end === 'fail') writer.fail(new Error('over'));
          else writer.close();
          if (end === 'abort' || end === 'fail') await expect(reading).rejects.toThrow('over');
          else await reading;
          await settle();
          expect(open).toBe(0);
          expect(inbox.hasEnded || end === 'fail').toBe(true);
          expect(signal.aborted).toBe(end === 'abort' || end === 'cancel');
        },
      ),
      runs(),
    );
  });
});

describe('MergeStage', () => {
  it('keeps the order of every branch, loses and doubles nothing, and ends once, at any capacity', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.option(fc.nat(10), { nil: undefined }),
        async (lengths, capacity, leaveAfter) => {
          const sources = lengths.map((length, branch) =>
            generate({
              name: `s${branch}`,
              emits: ['text'],
              async *generate() {
                for (let at = 0; at < length; at += 1) {
                  if (at % 3 === branch) await Promise.resolve();
                  yield element('text', { text: '', delta: false, at, turn: 1 });
                }
              },
            }),
          );
          const pipeline = sources
            .reduce(
              (so, source) => so.add(source).connect(source.name, 'merge'),
              new PipelineBuilder({ channelBufferSize: capacity }).add(new MergeStage()),
            )
            .build();
          const run = pipeline.execute();
          const seen: StreamElement[] = [];
          for await (const one of run) {
            seen.push(one);
            if (seen.length === leaveAfter) break;
          }
          await run.done;
          const left = leaveAfter !== undefined && seen.length === leaveAfter;
          if (!left) expect(seen.pop()?.kind).toBe('end');
          lengths.forEach((length, branch) => {
            const ats = seen.flatMap(({ source, at }) => (source === `s${branch}` ? [at] : []));
            expect(ats).toEqual(ats.map((_, at) => at));
            if (!left) expect(ats).toHaveLength(length);
          });
        },
      ),
      runs(),
    );
  });
});
