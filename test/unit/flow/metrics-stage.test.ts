/** What the metrics stage measures, with a clock of the test's own. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { channel } from '../../../src/core/channel/channel.ts';
import { element, type StreamElement } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { serializeError } from '../../../src/core/errors.ts';
import { transform } from '../../../src/core/stage/define-stage.ts';
import { inWorker } from '../../../src/core/stage/remote-stage.ts';
import type { Stage, StageEvent } from '../../../src/core/stage/stage.ts';
import { map } from '../../../src/stages/flow/compose.ts';
import { Histogram } from '../../../src/stages/flow/histogram.ts';
import { MetricsStage } from '../../../src/stages/flow/metrics-stage.ts';
import { RouterStage } from '../../../src/stages/flow/router-stage.ts';
import { roundRobin } from '../../../src/stages/flow/routing.ts';
import { TracingStage } from '../../../src/stages/flow/tracing-stage.ts';
import { testContext } from '../../../src/testing/stage-context.ts';
import { brief, recording, text, texts } from './graphs.ts';

class FakeClock {
  ms = 0;
  now = (): number => this.ms;
}

/** Works `ms` on each text, gives it twice. */
const working = (clock: FakeClock, ms: number): Stage<'text', 'text'> => ({
  name: 'work',
  type: 'transform',
  session: 'safe',
  consumes: ['text'],
  emits: ['text'],
  async *process(input) {
    for await (const one of input) {
      clock.ms += ms / 2;
      yield one;
      clock.ms += ms / 2;
      yield one;
    }
  },
});

describe('MetricsStage', () => {
  it('measures the work on each element, without the time until others take its output', async () => {
    const clock = new FakeClock();
    const stage = new MetricsStage(working(clock, 10), { reportEveryMs: 0 });
    const input = (async function* () {
      for (const one of texts(4)) {
        clock.ms += 3;
        yield one;
      }
    })();
    for await (const _ of stage.process(input, testContext(clock))) clock.ms += 100;
    const { elementsIn, elementsOut, processingMs, blockedMs, throughputPerSecond } =
      stage.snapshot();
    expect({ elementsIn, elementsOut, blockedMs }).toEqual({
      elementsIn: 4,
      elementsOut: 8,
      blockedMs: 800,
    });
    expect(processingMs).toMatchObject({ count: 4, sum: 40, mean: 10, min: 10, max: 10, p99: 10 });
    expect(throughputPerSecond).toBeCloseTo(1000 / 213);
  });

  it.each([
    ['', (stage: Stage) => stage],
    [', traced or not', (stage: Stage) => new TracingStage(new TracingStage(stage))],
  ])('measures inside a pipeline how long elements wait and how many do%s', async (_, placed) => {
    const clock = new FakeClock();
    const stage = new MetricsStage(working(clock, 10));
    const pipeline = new PipelineBuilder({ clock, session: 'live' }).add(placed(stage)).build();
    const run = pipeline.execute(texts(5));
    await run.drain();
    const { elementsIn, waitMs, queueDepth } = stage.snapshot();
    // Whether `end` is in the queue already is up to the runner.
    expect(elementsIn).toBeGreaterThanOrEqual(5);
    expect(waitMs.count).toBeGreaterThanOrEqual(5);
    expect(waitMs.max).toBeGreaterThanOrEqual(30);
    expect(queueDepth.max).toBeGreaterThanOrEqual(4);
    expect(queueDepth.max).toBeLessThanOrEqual(6);
  });

  it('records no wait for what comes to an idle stage, and bounds what it notes by what waits', async () => {
    const clock = new FakeClock();
    const stage = new MetricsStage(working(clock, 10));
    const pipeline = new PipelineBuilder({ clock, session: 'live' }).add(stage).build();
    const input = channel<StreamElement>({ capacity: 1 });
    const run = pipeline.execute(input.reader);
    const outputs = run[Symbol.asyncIterator]();
    for (let turn = 1; turn <= 20; turn += 1) {
      await input.writer.write(text(turn, turn));
      await outputs.next();
      await outputs.next();
      clock.ms += 1000;
    }
    input.writer.close();
    for (let next = await outputs.next(); !next.done; next = await outputs.next());
    expect(stage.snapshot().waitMs).toMatchObject({ max: 0 });
    expect(stage.snapshot().waitMs.count).toBeGreaterThanOrEqual(20);
  });

  it('reports by events, at most so often, and at the end', async () => {
    const clock = new FakeClock();
    const stage = new MetricsStage(working(clock, 10), { reportEveryMs: 25 });
    const events: StageEvent[] = [];
    const run = new PipelineBuilder({ clock }).add(stage).build().execute(texts(10));
    run.on((event) => {
      if (event.type === 'metrics') events.push(event);
    });
    await run.drain();
    // At 30, 60 and 90 ms, and at the end.
    expect(events.map(({ at }) => at).slice(0, 3)).toEqual([30, 60, 90]);
    expect(events.at(-1)).toMatchObject({ stage: 'work', detail: stage.snapshot() });
    expect(structuredClone(stage.snapshot())).toEqual(stage.snapshot());
  });

  it('counts error elements and throws, and passes both on', async () => {
    const fails = transform({
      name: 'fails',
      consumes: ['text'],
      emits: ['error'],
      process(one) {
        if (one.text === '1') throw new Error('torn');
        return element('error', { error: serializeError(new Error('small trouble')) });
      },
    });
    const stage = new MetricsStage(fails);
    await expect(
      new PipelineBuilder()
        .chain(stage)
        .build()
        .executeSync(...texts(2)),
    ).rejects.toThrow(/"fails".*torn/);
    expect(stage.snapshot()).toMatchObject({ errors: 2, elementsOut: 1 });
    stage.reset();
    expect(stage.snapshot()).toMatchObject({ errors: 0, elementsIn: 0, throughputPerSecond: 0 });
  });

  it('adds up concurrent runs', async () => {
    const stage = new MetricsStage(recording('stage'));
    const pipeline = new PipelineBuilder().add(stage).build();
    await Promise.all([pipeline.executeSync(...texts(3)), pipeline.executeSync(...texts(4))]);
    const { elementsIn, elementsOut, processingMs } = stage.snapshot();
    // Seven texts and two `end`s.
    expect([elementsIn, elementsOut, processingMs.count]).toEqual([9, 9, 9]);
  });

  it('takes the place of what it wraps: preparation, disposal, interrupts, routes', async () => {
    const calls: string[] = [];
    const inner: Stage = {
      ...recording('inner'),
      session: 'safe',
      prepare: async () => void calls.push('prepare'),
      dispose: () => void calls.push('dispose'),
    };
    const router = new RouterStage({ routes: ['a', 'b'], routing: roundRobin() });
    const pipeline = new PipelineBuilder({ session: 'live' })
      .add(new MetricsStage(inner))
      .add(new MetricsStage(router))
      .add(recording('a'))
      .add(recording('b'))
      .connect('inner', 'router')
      .branch('router', 'a', 'b')
      .build();
    const { outputs } = await pipeline.executeSync(...texts(4), element('interrupt', { turn: 1 }));
    expect(brief(outputs).filter((one) => one === '<interrupt>')).toHaveLength(1);
    await pipeline.shutdown();
    expect(calls).toEqual(['prepare', 'dispose']);
  });

  it('refuses a stage that runs elsewhere, and a negative interval', () => {
    const elsewhere = inWorker(() => new Worker('x'), 'far');
    expect(() => new MetricsStage(elsewhere)).toThrow(/"far" runs in/);
    const near = map('near', 'text', (one) => one);
    expect(() => new MetricsStage(near, { reportEveryMs: -1 })).toThrow(/reportEveryMs is -1/);
  });
});

describe('Histogram', () => {
  it('is empty at first, and holds the smallest and the largest', () => {
    const histogram = new Histogram();
    expect(histogram.summary()).toEqual({
      count: 0,
      sum: 0,
      mean: 0,
      min: 0,
      max: 0,
      p50: 0,
      p95: 0,
      p99: 0,
    });
    for (const value of [0, -1, 1e12]) histogram.record(value);
    expect(histogram.summary()).toMatchObject({ count: 3, min: 0, max: 1e12, p50: 0 });
  });

  it('gives quantiles within 2.5 % of the recorded values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 900_000, noNaN: true }), {
          minLength: 1,
          maxLength: 300,
        }),
        (values) => {
          const histogram = new Histogram();
          for (const value of values) histogram.record(value);
          const sorted = values.toSorted((a, b) => a - b);
          const summary = histogram.summary();
          for (const [name, q] of [
            ['p50', 0.5],
            ['p95', 0.95],
            ['p99', 0.99],
          ] as const) {
            const exact = sorted[Math.ceil(q * sorted.length) - 1] ?? 0;
            expect(Math.abs(summary[name] - exact)).toBeLessThanOrEqual(exact * 0.0251);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
