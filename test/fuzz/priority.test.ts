/** A priority channel with any number of senders and receivers, aborts and ends. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { element, isControl, type Priority, type StreamElement } from '../../src/core/element.ts';
import { PriorityChannel } from '../../src/stages/flow/priority-channel.ts';
import { runs, settle } from './runs.ts';

const levels: readonly Priority[] = ['low', 'normal', 'high', 'critical'];
const kind = fc.constantFrom<Priority | 'control'>(...levels, 'control');

const made = (kind: Priority | 'control', at: number): StreamElement =>
  kind === 'control'
    ? element('turn-end', { at })
    : element('text', { text: '', delta: false, at, priority: kind });

/** What has to hold of any series that came out of one that was sent in the order of `at`. */
function expectOrder(seen: readonly StreamElement[]): void {
  for (const [index, one] of seen.entries())
    if (isControl(one)) {
      expect(seen.slice(0, index).every(({ at }) => at < one.at)).toBe(true);
      expect(seen.slice(index + 1).every(({ at }) => at > one.at)).toBe(true);
    }
  for (const level of levels) {
    const ats = seen.flatMap(({ priority, at }) => (priority === level ? [at] : []));
    expect(ats).toEqual(ats.toSorted((a, b) => a - b));
  }
}

describe('PriorityChannel', () => {
  it('serves every level within patience + 3 takes, however much the others send', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.subarray([...levels]), { minLength: 20, maxLength: 40 }),
        (patience, arrivals) => {
          const queue = new PriorityChannel({ capacity: 1000, patience });
          const waiting = new Map(levels.map((level) => [level, 1]));
          const passed = new Map(levels.map((level) => [level, 0]));
          for (const level of levels) queue.offer(made(level, 0));
          for (const some of arrivals) {
            for (const level of some) {
              queue.offer(made(level, 0));
              waiting.set(level, (waiting.get(level) ?? 0) + 1);
            }
            const taken = queue.poll()?.priority;
            // The highest that waits, unless another has been passed over too often.
            const highest = levels.findLast((level) => waiting.get(level));
            const impatient = levels.filter((level) => (passed.get(level) ?? 0) >= patience);
            expect([highest, ...impatient]).toContain(taken);
            if (impatient.length === 0) expect(taken).toBe(highest);
            for (const level of levels) {
              if (level === taken) waiting.set(level, (waiting.get(level) ?? 0) - 1);
              const skipped =
                level === taken || !waiting.get(level) ? 0 : (passed.get(level) ?? 0) + 1;
              passed.set(level, skipped);
              expect(skipped).toBeLessThanOrEqual(patience + 3);
            }
          }
        },
      ),
      runs(),
    );
  });

  it('keeps each level and all control in order, loses and doubles nothing, stays within its capacity, ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(kind, { maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        fc.scheduler(),
        async (kinds, capacity, receivers, scheduler) => {
          const queue = new PriorityChannel({ capacity, patience: 2 });
          const send = async (): Promise<void> => {
            for (const [at, kind] of kinds.entries()) {
              await scheduler.schedule(Promise.resolve());
              await queue.send(made(kind, at));
              expect(queue.length).toBeLessThanOrEqual(capacity);
            }
            queue.close();
          };
          const seen: StreamElement[] = [];
          const receive = async (): Promise<void> => {
            for (;;) {
              await scheduler.schedule(Promise.resolve());
              const one = await queue.receive();
              if (!one) return;
              seen.push(one);
            }
          };
          await scheduler.waitFor(
            Promise.all([send(), ...Array.from({ length: receivers }, receive)]),
          );
          expect(seen.map(({ at }) => at).toSorted((a, b) => a - b)).toEqual([...kinds.keys()]);
          if (receivers === 1) expectOrder(seen);
        },
      ),
      runs(),
    );
  });

  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('send' as const), kind }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('offer' as const), kind }) },
    { weight: 3, arbitrary: fc.constant({ do: 'poll' as const }) },
    { weight: 3, arbitrary: fc.constant({ do: 'receive' as const }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom('abort' as const, 'interrupt' as const),
        of: fc.nat(12),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  );

  it('leaves nobody waiting after any series of sends, takes, aborts and interrupts, however it ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 50 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom('close' as const, 'fail' as const),
        async (steps, capacity, end) => {
          const queue = new PriorityChannel({ capacity, patience: 2 });
          const controllers: AbortController[] = [];
          const sent = new Set<number>();
          const seen: StreamElement[] = [];
          let open = 0;
          let interrupted = -1;
          const settled = (): void => void (open -= 1);
          const see = (one: StreamElement | undefined): void => {
            if (one) seen.push(one);
          };
          for (const [at, each] of steps.entries()) {
            const controller = new AbortController();
            if (each.do === 'settle') await settle();
            else if (each.do === 'poll') see(queue.poll());
            else if (each.do === 'abort') controllers[each.of]?.abort();
            else if (each.do === 'interrupt') {
              interrupted = Math.max(interrupted, each.of);
              expect(queue.offer(element('interrupt', { turn: each.of, at }))).toBe(true);
            } else if (each.do === 'offer') {
              if (queue.offer(made(each.kind, at))) sent.add(at);
            } else {
              open += 1;
              controllers.push(controller);
              const { signal } = controller;
              const done =
                each.do === 'send'
                  ? queue.send(made(each.kind, at), { signal }).then(() => void sent.add(at))
                  : queue.receive({ signal }).then(see);
              done.then(settled, settled);
            }
            expect(queue.length).toBeLessThanOrEqual(capacity);
          }
          if (end === 'fail') queue.fail(new Error('over'));
          else queue.close();
          await settle();
          for (let one = queue.poll(); one; one = queue.poll()) see(one);
          await settle();
          expect(open).toBe(0);
          expect(queue.offer(made('normal', 0))).toBe(false);
          await expect(queue.send(made('normal', 0))).rejects.toBeInstanceOf(Error);
          const line = seen.filter(({ kind }) => kind !== 'interrupt').map(({ at }) => at);
          expect(new Set(line).size).toBe(line.length);
          if (end === 'fail') {
            await expect(queue.receive()).rejects.toThrow('over');
            for (const at of line) expect(sent).toContain(at);
            return;
          }
          expect(await queue.receive()).toBeUndefined();
          expect(new Set(line)).toEqual(sent);
          const turns = seen.flatMap((one) => (one.kind === 'interrupt' ? [one.turn] : []));
          if (interrupted >= 0) expect(Math.max(...turns)).toBe(interrupted);
        },
      ),
      runs(),
    );
  });
});
