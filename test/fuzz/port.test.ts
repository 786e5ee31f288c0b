/** A channel between two threads under any series of writes, takes, aborts, interrupts and ends. */
import * as fc from 'fast-check';
import { MessageChannel as NodeMessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { ChannelReader } from '../../src/core/channel/queue.ts';
import { element, type StreamElement } from '../../src/core/element.ts';
import { portReader } from '../../src/core/port/port-reader.ts';
import { portWriter } from '../../src/core/port/port-writer.ts';
import { runs } from './runs.ts';

type Step =
  | { readonly do: 'write'; readonly samples: number; readonly part: boolean }
  | { readonly do: 'abort' | 'discard' | 'interrupt'; readonly of: number }
  | { readonly do: 'poll' }
  | { readonly do: 'breathe' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      samples: fc.nat(4),
      part: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('abort' as const, 'discard' as const, 'interrupt' as const),
      of: fc.nat(6),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('poll' as const, 'breathe' as const) }),
  },
);

/** Lets what was posted arrive. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Audio whose samples say its number, in a buffer of its own or in the middle of another. */
function audio(at: number, count: number, part: boolean): StreamElement {
  const whole = new Float32Array(part ? count + 2 : count).fill(at);
  const samples = part ? whole.subarray(1, count + 1) : whole;
  return element('audio', { samples, sampleRate: 16_000, at });
}

/** Both ends, and what became of every element. */
class Crossing {
  readonly accepted: number[] = [];
  readonly discarded: number[] = [];
  readonly received: number[] = [];
  readonly interrupts: number[] = [];
  readonly sentInterrupts: number[] = [];
  readonly controllers: AbortController[] = [];
  readonly reader: ChannelReader<StreamElement>;
  readonly writer;
  readonly writes: Promise<void>[] = [];
  readonly window: number;
  readonly #ports: readonly MessagePort[];
  #written = 0;

  constructor(window: number) {
    const { port1, port2 } = new NodeMessageChannel() as unknown as MessageChannel;
    this.#ports = [port1, port2];
    this.window = window;
    this.writer = portWriter(port1);
    this.reader = portReader(port2, { window });
    this.reader.onOvertake((value) => this.interrupts.push(value.turn));
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'breathe') await breathe();
    else if (step.do === 'poll') this.see(this.reader.poll());
    else if (step.do === 'abort') this.controllers[step.of]?.abort();
    else if (step.do === 'interrupt') {
      this.sentInterrupts.push(step.of);
      this.writer.overtake(element('interrupt', { turn: step.of }));
    } else if (step.do === 'write') this.#write(step.samples, step.part);
    else
      this.reader.discard(({ at }) => {
        const does = at % 7 === step.of;
        if (does) this.discarded.push(at);
        return does;
      });
    expect(this.reader.depth).toBeLessThanOrEqual(this.window);
  }

  see(value: StreamElement | undefined): void {
    if (!value) return;
    this.received.push(value.at);
    if (value.kind === 'audio') expect(value.samples.every((one) => one === value.at)).toBe(true);
  }

  close(): void {
    for (const port of this.#ports) port.close();
  }

  #write(count: number, part: boolean): void {
    const at = (this.#written += 1);
    const controller = new AbortController();
    this.controllers.push(controller);
    this.writes.push(
      this.writer.write(audio(at, count, part), { signal: controller.signal }).then(
        () => void this.accepted.push(at),
        () => {},
      ),
    );
  }
}

const story = fc.record({
  steps: fc.array(step, { maxLength: 40 }),
  window: fc.integer({ min: 1, max: 9 }),
});

describe('a port', () => {
  it('carries what it took, whole, once, in order, within its window, and ends', async () => {
    await fc.assert(
      fc.asyncProperty(story, fc.boolean(), async ({ steps, window }, abortLate) => {
        const crossing = new Crossing(window);
        try {
          for (const each of steps) await crossing.take(each);
          crossing.writer.close();
          if (abortLate) for (const controller of crossing.controllers) controller.abort();
          for await (const value of crossing.reader) {
            crossing.see(value);
            expect(crossing.reader.depth).toBeLessThanOrEqual(window);
          }
          await Promise.all(crossing.writes);
          const gone = new Set(crossing.discarded);
          expect(crossing.received).toEqual(
            crossing.accepted.filter((at) => !gone.has(at)).toSorted((a, b) => a - b),
          );
          expect(crossing.interrupts).toEqual(crossing.sentInterrupts);
        } finally {
          crossing.close();
        }
      }),
      runs(),
    );
  });

  it('leaves nobody waiting when one side fails or leaves', async () => {
    await fc.assert(
      fc.asyncProperty(
        story,
        fc.constantFrom('fail', 'cancel', 'break'),
        async ({ steps, window }, end) => {
          const crossing = new Crossing(window);
          const { reader, writer } = crossing;
          try {
            for (const each of steps) await crossing.take(each);
            const gone = new Promise((resolve) =>
              writer.cancelled.addEventListener('abort', resolve),
            );
            if (end === 'fail') {
              const failed = (async () => {
                for await (const value of reader) crossing.see(value);
              })();
              writer.fail(new Error('torn'));
              await expect(failed).rejects.toThrow('torn');
            } else {
              if (end === 'cancel') reader.cancel();
              else await reader[Symbol.asyncIterator]().return?.();
              await gone;
            }
            await Promise.all(crossing.writes);
            expect(reader.depth).toBe(0);
            expect(writer.offer(audio(0, 1, false))).toBe(false);
            await expect(writer.write(audio(0, 1, false))).rejects.toMatchObject({
              code: 'channel-closed',
            });
          } finally {
            crossing.close();
          }
        },
      ),
      runs(),
    );
  });
});
