/** Whole pipelines of stages that wait, double, fail or give up, interrupted, left, aborted and shut down anywhere. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { element, type StreamElement } from '../../src/core/element.ts';
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import type { StreamElement as Element } from '../../src/core/element.ts';
import { defineStage, transform } from '../../src/core/stage/define-stage.ts';
import type { Stage, StageContext } from '../../src/core/stage/stage.ts';
import { runs } from './runs.ts';

/** What a stage does with what it gets. */
interface Habit {
  readonly kind:
    | 'pass'
    | 'step'
    | 'slow step'
    | 'around'
    | 'double'
    | 'wait'
    | 'await turn'
    | 'throw'
    | 'stop';
  readonly at: number;
}

const habit: fc.Arbitrary<Habit> = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('pass' as const, 'step' as const, 'wait' as const) },
    { weight: 3, arbitrary: fc.constantFrom('slow step' as const, 'around' as const) },
    { weight: 2, arbitrary: fc.constantFrom('double' as const, 'await turn' as const) },
    { weight: 1, arbitrary: fc.constantFrom('throw' as const, 'stop' as const) },
  ),
  at: fc.nat(8),
});

const tick = async (times: number): Promise<void> => {
  for (let left = times; left > 0; left -= 1) await Promise.resolve();
};

/** Settles when the turn is interrupted or the run ends, or after some ticks. */
async function untilTurnEnds({ turnSignal }: StageContext, turn: number): Promise<void> {
  const signal = turnSignal(turn);
  for (let left = 20; left > 0 && !signal.aborted; left -= 1) await Promise.resolve();
}

function stageOf(
  name: string,
  { kind, at }: Habit,
  { closed, busy }: { readonly closed: string[]; readonly busy: Set<symbol> },
): Stage {
  if (kind === 'step')
    return transform({ name, consumes: ['text'], emits: ['text'], process: (one) => one });
  if (kind === 'slow step') {
    // What is under way when the run ends has to be torn down before it has ended.
    return transform({
      name,
      consumes: ['text'],
      emits: ['text'],
      async *process(one) {
        const mine = Symbol(name);
        busy.add(mine);
        try {
          await tick(at);
          yield one;
        } finally {
          await tick(at % 3);
          busy.delete(mine);
        }
      },
    });
  }
  if (kind === 'around')
    return defineStage({
      name,
      type: 'transform',
      session: 'safe',
      consumes: ['text'],
      emits: ['text'],
      async *process(input) {
        try {
          for await (const one of input) {
            await tick(at);
            yield one;
          }
        } finally {
          await tick(at % 3);
          closed.push(name);
        }
      },
    });
  return {
    name,
    type: 'transform',
    session: 'safe',
    consumes: [],
    emits: [],
    async *process(input, context) {
      let count = 0;
      try {
        for await (const one of input) {
          count += 1;
          if (kind === 'wait') await tick(at);
          if (kind === 'await turn' && one.turn === 1) await untilTurnEnds(context, one.turn);
          if (kind === 'throw' && count > at) throw new Error(`${name} is torn`);
          yield one;
          if (kind === 'double' && one.kind === 'text') yield { ...one, meta: { copy: true } };
          if (kind === 'stop' && count > at) return;
        }
      } finally {
        await tick(at % 3);
        closed.push(name);
      }
    },
  };
}

interface Shape {
  readonly head: readonly Habit[];
  readonly left: readonly Habit[];
  readonly right: readonly Habit[];
  readonly tail: readonly Habit[];
  readonly capacity: number;
}

const few = fc.array(habit, { maxLength: 2 });
const shape: fc.Arbitrary<Shape> = fc.record({
  head: fc.array(habit, { minLength: 1, maxLength: 2 }),
  left: few,
  right: few,
  tail: fc.array(habit, { minLength: 1, maxLength: 2 }),
  capacity: fc.integer({ min: 1, max: 4 }),
});

/** head → left and right → tail; a side without stages is no branch. */
function build({ head, left, right, tail, capacity }: Shape) {
  const closed: string[] = [];
  /** Steps that are under way. */
  const busy = new Set<symbol>();
  const names: string[] = [];
  const part = (label: string, habits: readonly Habit[]): Stage[] =>
    habits.map((habit, index) => {
      const name = `${label}${index}`;
      if (!habit.kind.includes('step')) names.push(name);
      return stageOf(name, habit, { closed, busy });
    });
  const parts = [part('head', head), part('left', left), part('right', right), part('tail', tail)];
  const [heads, lefts, rights, tails] = parts as [Stage[], Stage[], Stage[], Stage[]];
  let builder = new PipelineBuilder({ session: 'live', channelBufferSize: capacity });
  for (const stages of parts) builder = builder.chain(...(stages as never));
  const last = heads.at(-1)!.name;
  const sides = [lefts, rights].filter((side) => side.length > 0);
  for (const side of sides) builder = builder.connect(last, side[0]!.name);
  builder =
    sides.length === 0
      ? builder.connect(last, 'tail0')
      : builder.merge('tail0', ...sides.map((side) => side.at(-1)!.name));
  return { pipeline: builder.build(), names, closed, busy, stages: [...heads, ...tails] };
}

const kinds = fc.constantFrom('text' as const, 'transcript' as const, 'turn-end' as const);
const inputs = fc.array(fc.record({ kind: kinds, turn: fc.integer({ min: 1, max: 3 }) }), {
  maxLength: 24,
});

function made(plan: readonly { readonly kind: Element['kind']; readonly turn: number }[]) {
  return plan.map(({ kind, turn }, at): StreamElement => {
    const facts = { turn, at };
    if (kind === 'text') return element('text', { ...facts, text: '', delta: true });
    if (kind === 'transcript') return element('transcript', { ...facts, text: '', final: true });
    return element('turn-end', facts);
  });
}

async function* live(
  elements: readonly StreamElement[],
  interrupts: readonly { readonly after: number; readonly turn: number }[],
): AsyncGenerator<StreamElement> {
  for (const [index, one] of elements.entries()) {
    for (const { after, turn } of interrupts)
      if (after === index) yield element('interrupt', { turn });
    yield one;
    await tick(index % 3);
  }
}

const interrupts = fc.array(
  fc.record({ after: fc.nat(24), turn: fc.integer({ min: 1, max: 3 }) }),
  {
    maxLength: 4,
  },
);

const plain = (habits: readonly Habit[]): boolean =>
  habits.every(({ kind }) => !['throw', 'stop', 'double'].includes(kind));

describe('a run', () => {
  it('always ends and tears every stage down, whatever its stages and its reader do', async () => {
    await fc.assert(
      fc.asyncProperty(
        shape,
        inputs,
        interrupts,
        fc.constantFrom('read', 'break', 'abort', 'shutdown', 'close', 'interrupt', 'input fails'),
        fc.nat(20),
        async (shape, plan, interrupts, end, after) => {
          const { pipeline, names, closed, busy } = build(shape);
          const controller = new AbortController();
          const elements = made(plan);
          const input = async function* (): AsyncGenerator<StreamElement> {
            let count = 0;
            for await (const one of live(elements, interrupts)) {
              yield one;
              if (end === 'input fails' && count++ === after) throw new Error('no more input');
            }
          };
          const run = pipeline.execute(input(), { signal: controller.signal });
          let failure: unknown;
          let seen = 0;
          let shutdown: Promise<void> | undefined;
          try {
            for await (const _ of run) {
              seen += 1;
              if (seen <= after) continue;
              if (end === 'break') break;
              if (end === 'abort') controller.abort();
              if (end === 'close') void run.close();
              if (end === 'interrupt') run.interrupt(seen % 4);
              if (end === 'shutdown') shutdown = pipeline.shutdown();
            }
          } catch (error) {
            failure = error;
          }
          const outcome = await run.done.then(
            () => undefined,
            (error: unknown) => error,
          );
          await shutdown;
          // What the reader met is what the run says, and it says which stage it was.
          if (end !== 'break' && end !== 'close') expect(failure).toBe(outcome);
          if (failure instanceof Error && failure.message.includes('is torn'))
            expect(failure).toMatchObject({ code: 'stage', stage: expect.any(String) as string });
          expect([...closed].toSorted()).toEqual([...names].toSorted());
          expect(busy.size).toBe(0);
        },
      ),
      runs(),
    );
  });

  it('loses, doubles and reorders nothing but what an interrupt voids, over branches and at any capacity', async () => {
    await fc.assert(
      fc.asyncProperty(
        shape.filter(({ head, left, right, tail }) =>
          [head, left, right, tail].every((habits) => plain(habits)),
        ),
        inputs,
        interrupts,
        async (shape, plan, interrupts) => {
          const { pipeline } = build(shape);
          const elements = made(plan);
          const outputs: StreamElement[] = [];
          for await (const one of pipeline.execute(live(elements, interrupts))) outputs.push(one);
          expect(outputs.filter(({ kind }) => kind === 'end')).toHaveLength(1);
          expect(outputs.at(-1)?.kind).toBe('end');
          const copies = Math.max(1, [shape.left, shape.right].filter((s) => s.length > 0).length);
          const voided = Math.max(
            0,
            ...interrupts.flatMap(({ after, turn }) => (after < elements.length ? [turn] : [])),
          );
          for (const one of elements) {
            const count = outputs.filter(({ at, kind }) => at === one.at && kind === one.kind);
            if (one.kind !== 'text' || one.turn > voided) expect(count).toHaveLength(copies);
            else expect(count.length).toBeLessThanOrEqual(copies);
          }
          const turns = outputs.flatMap((one) => (one.kind === 'interrupt' ? [one.turn] : []));
          expect(turns).toEqual([...new Set(turns)].toSorted((a, b) => a - b));
          expect(turns.at(-1) ?? 0).toBe(voided);
          if (copies === 1) {
            const order = outputs
              .filter(({ kind }) => kind !== 'interrupt' && kind !== 'end')
              .map(({ at }) => at);
            expect(order).toEqual(order.toSorted((a, b) => a - b));
          }
        },
      ),
      runs(),
    );
  });

  it('sees only its own elements, however many run at a time', async () => {
    await fc.assert(
      fc.asyncProperty(
        shape,
        fc.array(inputs, { minLength: 2, maxLength: 4 }),
        async (shape, plans) => {
          const { pipeline } = build(shape);
          await Promise.all(
            plans.map(async (plan, index) => {
              const marked = made(plan).map((one) => ({ ...one, meta: { run: index } }));
              try {
                for await (const one of pipeline.execute(live(marked, [])))
                  if (one.kind !== 'end' && one.meta?.['copy'] !== true)
                    expect(one.meta?.['run']).toBe(index);
              } catch (error) {
                expect(error).toMatchObject({ code: 'stage' });
              }
            }),
          );
        },
      ),
      runs(),
    );
  });
});
