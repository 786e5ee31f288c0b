/** A channel under any series of writes, takes, aborts, discards and ends. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { broadcast } from '../../src/core/channel/broadcast.ts';
import { channel, type Overflow } from '../../src/core/channel/channel.ts';
import { runs, settle } from './runs.ts';

interface Value {
  readonly id: number;
  readonly kept: boolean;
}

const overflows: readonly Overflow[] = ['wait', 'drop-oldest', 'drop-newest', 'fail'];

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write'), kept: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('offer'), kept: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('poll') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('next') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort'), of: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('discard'), of: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('overtake') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle') }) },
);

type Step =
  | { readonly do: 'write' | 'offer'; readonly kept: boolean }
  | { readonly do: 'abort' | 'discard'; readonly of: number }
  | { readonly do: 'poll' | 'next' | 'overtake' | 'settle' };

/** A channel, and what became of every value that was given to it. */
class Story {
  readonly accepted: number[] = [];
  readonly refused: number[] = [];
  readonly dropped: number[] = [];
  readonly discarded: number[] = [];
  readonly overtaken: number[] = [];
  readonly received: number[] = [];
  readonly kept = new Set<number>();
  readonly controllers: AbortController[] = [];
  readonly ends;
  readonly capacity: number;
  /** Writes and takes that are not settled. */
  open = 0;
  readonly #overflow: Overflow;
  #id = 0;

  constructor(capacity: number, overflow: Overflow) {
    this.capacity = capacity;
    this.#overflow = overflow;
    this.ends = channel<Value>({
      capacity,
      overflow,
      keep: ({ kept }) => kept,
      onDrop: ({ id }) => this.dropped.push(id),
    });
  }

  async take(step: Step): Promise<void> {
    const { writer, reader } = this.ends;
    if (step.do === 'settle') await settle();
    else if (step.do === 'offer') this.#offer(step.kept);
    else if (step.do === 'write') this.#write(step.kept);
    else if (step.do === 'next') this.next();
    else if (step.do === 'abort') this.controllers[step.of]?.abort();
    else if (step.do === 'poll') this.see(reader.poll());
    else if (step.do === 'discard') {
      const matches = ({ id }: Value): boolean => {
        const does = id % 3 === step.of;
        if (does) this.discarded.push(id);
        return does;
      };
      const count = this.discarded.length;
      expect(reader.discard(matches)).toBe(this.discarded.length - count);
    } else {
      const value = this.#make(true);
      this.overtaken.push(value.id);
      writer.overtake(value);
    }
    // What overtakes has a lane of its own.
    expect(reader.depth).toBeLessThanOrEqual(this.capacity + this.overtaken.length);
  }

  next(): void {
    this.open += 1;
    this.ends.reader.next().then(
      ({ value }) => {
        this.open -= 1;
        this.see(value);
      },
      () => {
        this.open -= 1;
      },
    );
  }

  /** Takes all there is, and what room for it lets in. */
  async drain(): Promise<void> {
    for (;;) {
      await settle();
      const value = this.ends.reader.poll();
      if (!value) return;
      this.see(value);
    }
  }

  see(value: Value | undefined): void {
    if (value) this.received.push(value.id);
  }

  #make(kept: boolean): Value {
    const id = (this.#id += 1);
    if (kept) this.kept.add(id);
    return { id, kept };
  }

  #offer(kept: boolean): void {
    const value = this.#make(kept);
    const taken = this.ends.writer.offer(value);
    (taken ? this.accepted : this.refused).push(value.id);
    // What may be dropped never has to wait.
    if (this.#overflow.startsWith('drop') && !kept) expect(taken).toBe(true);
  }

  #write(kept: boolean): void {
    const value = this.#make(kept);
    const controller = new AbortController();
    this.controllers.push(controller);
    this.open += 1;
    this.ends.writer.write(value, { signal: controller.signal }).then(
      () => {
        this.open -= 1;
        this.accepted.push(value.id);
      },
      () => {
        this.open -= 1;
        this.refused.push(value.id);
      },
    );
  }
}

const story = fc.record({
  steps: fc.array(step as fc.Arbitrary<Step>, { maxLength: 50 }),
  capacity: fc.integer({ min: 1, max: 4 }),
  overflow: fc.constantFrom(...overflows),
  abortLate: fc.boolean(),
});

describe('a channel', () => {
  it('gives what it took, once, in order, and ends, whatever is done to it', async () => {
    await fc.assert(
      fc.asyncProperty(story, async ({ steps, capacity, overflow, abortLate }) => {
        const told = new Story(capacity, overflow);
        const { writer, reader } = told.ends;
        for (const each of steps) await told.take(each);
        writer.close();
        if (abortLate) for (const controller of told.controllers) controller.abort();
        if (reader.state !== 'failed') {
          await told.drain();
          expect(reader.state).toBe('ended');
        }
        await settle();
        expect(told.open).toBe(0);

        const overtaken = new Set(told.overtaken);
        const line = told.received.filter((id) => !overtaken.has(id));
        expect(line).toEqual(line.toSorted((a, b) => a - b));
        expect(new Set(told.received).size).toBe(told.received.length);
        if (overflow !== 'fail') {
          const gone = new Set([...told.dropped, ...told.discarded]);
          const expected = told.accepted.filter((id) => !gone.has(id));
          expect(line).toEqual(expected.toSorted((a, b) => a - b));
          expect(told.received).toHaveLength(line.length + overtaken.size);
        }
        for (const id of told.dropped) expect(told.kept.has(id)).toBe(false);
        if (overflow === 'wait') expect(told.dropped).toEqual([]);
      }),
      runs(),
    );
  });

  it('leaves nobody waiting when an end fails or leaves', async () => {
    const end = fc.constantFrom('fail', 'cancel', 'break');
    await fc.assert(
      fc.asyncProperty(story, end, async ({ steps, capacity, overflow }, end) => {
        const told = new Story(capacity, overflow);
        const { writer, reader } = told.ends;
        for (const each of steps) await told.take(each);
        const reason = new Error('over');
        if (end === 'fail') writer.fail(reason);
        else if (end === 'cancel') reader.cancel(reason);
        else await reader[Symbol.asyncIterator]().return?.();
        told.next();
        await settle();
        expect(told.open).toBe(0);
        expect(reader.depth).toBe(0);
        expect(writer.offer({ id: 0, kept: true })).toBe(false);
        await expect(writer.write({ id: 0, kept: true })).rejects.toBeInstanceOf(Error);
        if (end !== 'fail' && overflow !== 'fail') expect(writer.cancelled.aborted).toBe(true);
      }),
      runs(),
    );
  });

  it('keeps order, loses and repeats nothing and stays within its capacity, however the ends take turns', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 7 }),
        async (scheduler, count, capacity) => {
          const { writer, reader } = channel<number>({ capacity });
          const produce = async (): Promise<void> => {
            for (let value = 0; value < count; value += 1) {
              await scheduler.schedule(Promise.resolve());
              if (!writer.offer(value)) await writer.write(value);
            }
            writer.close();
          };
          const received: number[] = [];
          const consume = async (): Promise<void> => {
            for await (const value of reader) {
              expect(reader.depth).toBeLessThanOrEqual(capacity);
              received.push(value);
              await scheduler.schedule(Promise.resolve());
            }
          };
          await scheduler.waitFor(Promise.all([produce(), consume()]));
          expect(received).toEqual(Array.from({ length: count }, (_, index) => index));
        },
      ),
      runs(),
    );
  });
});

describe('a broadcast', () => {
  it('gives every branch that stays what it takes, in order, and one that leaves holds up nobody', async () => {
    const branch = fc.record({
      capacity: fc.integer({ min: 1, max: 4 }),
      leavesAfter: fc.option(fc.nat(10), { nil: Infinity }),
      modulo: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(branch, { minLength: 1, maxLength: 4 }),
        fc.nat(20),
        async (scheduler, branches, count) => {
          const ends = branches.map(({ capacity }) => channel<{ id: number }>({ capacity }));
          const modulo = new Map(
            ends.map(({ writer }, index) => [writer, branches[index]?.modulo ?? 1]),
          );
          const all = broadcast(
            ends.map(({ writer }) => writer),
            (value) => ({ ...value }),
            (writer, { id }) => id % (modulo.get(writer) ?? 1) === 0,
          );
          const produce = async (): Promise<void> => {
            for (let id = 0; id < count; id += 1) {
              await scheduler.schedule(Promise.resolve());
              if (all.cancelled.aborted) return;
              const value = { id };
              try {
                if (!all.offer(value)) await all.write(value);
              } catch {
                return;
              }
            }
            all.close();
          };
          const consume = async (index: number): Promise<readonly { id: number }[]> => {
            const seen: { id: number }[] = [];
            const { leavesAfter } = branches[index]!;
            if (leavesAfter === 0) {
              ends[index]!.reader.cancel();
              return seen;
            }
            for await (const value of ends[index]!.reader) {
              seen.push(value);
              if (seen.length >= leavesAfter) break;
              await scheduler.schedule(Promise.resolve());
            }
            return seen;
          };
          const reading = branches.map((_, index) => consume(index));
          await scheduler.waitFor(Promise.all([produce(), ...reading]));
          const seen = await Promise.all(reading);
          for (const [index, { leavesAfter, modulo }] of branches.entries()) {
            const expected = Array.from({ length: count }, (_, id) => id)
              .filter((id) => id % modulo === 0)
              .slice(0, leavesAfter);
            expect(seen[index]!.map(({ id }) => id)).toEqual(expected);
          }
          const objects = seen.flat();
          expect(new Set(objects).size).toBe(objects.length);
        },
      ),
      runs(),
    );
  });
});
