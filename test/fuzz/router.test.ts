/** Every rule of a router in a built pipeline, with interrupts, slow routes and broken ones. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { element, isControl, isInterruptible, type StreamElement } from '../../src/core/element.ts';
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import type { Pipeline } from '../../src/core/pipeline/pipeline.ts';
import { defineStage } from '../../src/core/stage/define-stage.ts';
import { RouterStage } from '../../src/stages/flow/router-stage.ts';
import {
  atRandom,
  byContent,
  byRule,
  hashed,
  ofKind,
  roundRobin,
  toAll,
  weighted,
  type Routing,
} from '../../src/stages/flow/routing.ts';
import { recording } from '../unit/flow/graphs.ts';
import { runs } from './runs.ts';

const names = ['a', 'b', 'c'];
const numbers = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
};

const routings: Readonly<Record<string, (seed: number) => Routing>> = {
  byRule: (seed) =>
    byRule(({ at }) => names.filter((_, index) => (at * 7 + seed) % (index + 2) === 0)),
  unknown: (seed) => byRule(({ at }) => (at % 3 === seed % 3 ? ['a', 'nowhere'] : 'nowhere')),
  byContent: () =>
    byContent(
      [
        { when: ofKind('text'), to: 'a' },
        { when: ({ turn }) => turn % 2 === 0, to: 'b' },
      ],
      'c',
    ),
  roundRobin: () => roundRobin(),
  weighted: (seed) => weighted({ a: 1, c: 3 }, numbers(seed)),
  atRandom: (seed) => atRandom(numbers(seed)),
  hashed: () => hashed(),
  toAll: () => toAll(),
};

const content = fc.constantFrom('text' as const, 'transcript' as const, 'audio' as const);
const control = fc.constantFrom('speech-start' as const, 'turn-end' as const);
const input = fc.array(
  fc.record({
    kind: fc.oneof({ weight: 5, arbitrary: content }, { weight: 1, arbitrary: control }),
    turn: fc.integer({ min: 1, max: 4 }),
  }),
  { maxLength: 40 },
);

function elementsOf(plan: readonly { readonly kind: StreamElement['kind']; turn: number }[]) {
  return plan.map(({ kind, turn }, at): StreamElement => {
    const facts = { turn, at };
    if (kind === 'text') return element('text', { ...facts, text: '', delta: true });
    if (kind === 'transcript') return element('transcript', { ...facts, text: '', final: true });
    if (kind === 'audio')
      return element('audio', { ...facts, samples: Float32Array.of(at), sampleRate: 8000 });
    return element(kind === 'turn-end' ? kind : 'speech-start', facts);
  });
}

function routed(routing: Routing, capacity: number) {
  const stages = names.map(recording);
  const pipeline = stages
    .reduce(
      (so, stage) => so.add(stage),
      new PipelineBuilder().add(new RouterStage({ routes: names, routing })),
    )
    .branch('router', ...names.map((to, index) => ({ to, capacity: capacity + index })))
    .build();
  return { stages, pipeline };
}

/** What the rule itself says of each element. */
function shares(routing: Routing, elements: readonly StreamElement[]): ReadonlySet<string>[] {
  const rule = routing(names);
  return elements.map((one) => {
    if (isControl(one)) return new Set(names);
    const said = rule(one) ?? [];
    return new Set(typeof said === 'string' ? [said] : said);
  });
}

const setup = fc.record({
  plan: input,
  name: fc.constantFrom(...Object.keys(routings)),
  seed: fc.nat(1000),
  capacity: fc.integer({ min: 1, max: 4 }),
});

describe('RouterStage', () => {
  it('gives each route exactly what its rule says, in order, and control to all, whatever the rule', async () => {
    await fc.assert(
      fc.asyncProperty(setup, async ({ plan, name, seed, capacity }) => {
        const elements = elementsOf(plan);
        const expected = shares(routings[name]!(seed), elements);
        const { stages, pipeline } = routed(routings[name]!(seed), capacity);
        await pipeline.executeSync(...elements);
        for (const { name: route, seen } of stages) {
          expect(seen.at(-1)?.kind).toBe('end');
          expect(seen.slice(0, -1).map(({ at }) => at)).toEqual(
            elements.flatMap(({ at }, index) => (expected[index]!.has(route) ? [at] : [])),
          );
        }
        const buffers = stages
          .flatMap(({ seen }) => seen)
          .flatMap((one) => (one.kind === 'audio' ? [one.samples.buffer] : []));
        expect(new Set(buffers).size).toBe(buffers.length);
      }),
      runs(),
    );
  });

  it('voids nothing but what an interrupt voids, and takes it down every route once', async () => {
    await fc.assert(
      fc.asyncProperty(
        setup,
        fc.array(fc.record({ after: fc.nat(40), turn: fc.integer({ min: 1, max: 4 }) }), {
          maxLength: 3,
        }),
        async ({ plan, name, seed, capacity }, interrupts) => {
          const elements = elementsOf(plan);
          const expected = shares(routings[name]!(seed), elements);
          const { stages, pipeline } = routed(routings[name]!(seed), capacity);
          const voided = Math.max(0, ...interrupts.map(({ turn }) => turn));
          const run = pipeline.execute(
            (async function* () {
              for (const [index, one] of elements.entries()) {
                for (const { after, turn } of interrupts)
                  if (after === index) yield element('interrupt', { turn });
                yield one;
              }
              for (const { after, turn } of interrupts)
                if (after >= elements.length) yield element('interrupt', { turn });
            })(),
          );
          await run.drain();
          // A rule that counts sees less when an interrupt took something from it.
          const counts = ['roundRobin', 'weighted', 'atRandom'].includes(name);
          for (const { name: route, seen } of stages) {
            const plain = seen.filter(({ kind }) => kind !== 'interrupt' && kind !== 'end');
            const order = plain.map(({ at }) => at);
            expect(order).toEqual(order.toSorted((a, b) => a - b));
            for (const [index, one] of elements.entries()) {
              const sure = !isInterruptible(one) || one.turn > voided;
              if (isControl(one) || (!counts && sure && expected[index]!.has(route)))
                expect(order.filter((at) => at === one.at)).toHaveLength(1);
              if (!counts && !expected[index]!.has(route)) expect(order).not.toContain(one.at);
            }
            const turns = seen.filter(({ kind }) => kind === 'interrupt').map(({ turn }) => turn);
            expect(turns).toEqual([...new Set(turns)].toSorted((a, b) => a - b));
            expect(turns.at(-1) ?? 0).toBe(voided);
          }
        },
      ),
      runs(),
    );
  });

  it('ends every route when one of them breaks, the reader leaves or the caller aborts', async () => {
    await fc.assert(
      fc.asyncProperty(
        setup,
        fc.constantFrom('throw', 'break', 'abort', 'shutdown'),
        fc.nat(30),
        async ({ plan, name, seed, capacity }, end, after) => {
          const controller = new AbortController();
          const torn: string[] = [];
          let taken = 0;
          let stop: Pipeline | undefined;
          const branch = (route: string) =>
            defineStage({
              name: route,
              type: 'transform',
              consumes: ['text', 'transcript', 'audio', 'turn-end', 'speech-start'],
              emits: ['text', 'transcript', 'audio', 'turn-end', 'speech-start'],
              async *process(input) {
                try {
                  for await (const one of input) {
                    taken += 1;
                    if (taken > after && end === 'throw') throw new Error('torn');
                    if (taken > after && end === 'abort') controller.abort();
                    if (taken > after && end === 'shutdown') void stop?.shutdown();
                    yield one;
                  }
                } finally {
                  torn.push(route);
                }
              },
            });
          const pipeline = names
            .reduce(
              (so, route) => so.add(branch(route)),
              new PipelineBuilder().add(
                new RouterStage({ routes: names, routing: routings[name]!(seed) }),
              ),
            )
            .branch('router', ...names.map((to) => ({ to, capacity })))
            .build();
          stop = pipeline;
          const run = pipeline.execute(elementsOf(plan), { signal: controller.signal });
          let seen = 0;
          let failed = false;
          try {
            for await (const _ of run) {
              seen += 1;
              if (end === 'break' && seen > after) break;
            }
          } catch {
            failed = true;
          }
          await run.done.catch(() => {});
          expect(torn.toSorted()).toEqual(names);
          if (end === 'break') expect(failed).toBe(false);
          if (end === 'throw') expect(failed).toBe(taken > after);
        },
      ),
      runs(),
    );
  });
});
