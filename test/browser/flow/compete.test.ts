/** Stages in workers of their own that compete for one stream. */
import { afterEach, describe, expect, it } from 'vitest';
import { channel } from '../../../src/core/channel/channel.ts';
import { element, type StreamElement } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { inWorker } from '../../../src/core/stage/remote-stage.ts';
import type { Stage } from '../../../src/core/stage/stage.ts';
import { compete } from '../../../src/stages/flow/compete.ts';
import { collect } from '../../../src/testing/collect.ts';

const made: Worker[] = [];
const gone = new Set<Worker>();

/** A stage in a worker nobody else uses. */
const alone = (name: string, options?: unknown): Stage<'text', 'text'> =>
  inWorker(
    () => {
      const worker = new Worker(new URL('../core/stages.worker.ts', import.meta.url), {
        type: 'module',
      });
      made.push(worker);
      const terminate = worker.terminate.bind(worker);
      worker.terminate = () => {
        gone.add(worker);
        terminate();
      };
      return worker;
    },
    name,
    options,
    { consumes: ['text'], emits: ['text'], name: `${name}-${crypto.randomUUID()}` },
  );

const text = (value: string, turn = 1): StreamElement =>
  element('text', { text: value, delta: false, turn });
const brief = (elements: readonly StreamElement[]): string[] =>
  elements.map((one) => (one.kind === 'text' ? one.text : `<${one.kind}>`));

afterEach(() => {
  expect(gone.size).toBe(made.length);
  made.length = 0;
  gone.clear();
});

describe('workers that compete', () => {
  it('share out the elements, and give their answers in order', async () => {
    const pool = compete('pool', [alone('tag', { suffix: 'A' }), alone('tag', { suffix: 'B' })]);
    const inputs = Array.from({ length: 40 }, (_, index) => text(`${index}`));
    const { outputs } = await new PipelineBuilder()
      .chain(pool)
      .build()
      .executeSync(...inputs);
    const seen = brief(outputs);
    expect(seen.map((one) => one.replace(/[AB]$/, ''))).toEqual([
      ...inputs.map((_, index) => `${index}`),
      '<end>',
    ]);
    for (const suffix of ['A', 'B'])
      expect(seen.filter((one) => one.endsWith(suffix)).length).toBeGreaterThan(0);
  });

  it('hold up nobody while one is busy, and hear an interrupt', async () => {
    const pool = compete('pool', [alone('patient'), alone('tag', { suffix: 'B' })], {
      order: 'free',
    });
    const input = channel<StreamElement>({ capacity: 32 });
    const run = new PipelineBuilder({ session: 'live' }).chain(pool).build().execute(input.reader);
    const log: string[] = [];
    run.on(({ type }) => {
      if (type === 'interrupted') log.push(type);
      if (type !== 'waiting') return;
      // One of them waits: the other takes all that follows.
      for (const one of ['1', '2', '3']) input.writer.offer(text(one, 2));
    });
    const outputs = (async () => {
      const all: StreamElement[] = [];
      for await (const one of run) {
        all.push(one);
        if (all.length === 3) {
          run.interrupt(1);
          input.writer.close();
        }
      }
      return all;
    })();
    input.writer.offer(text('first', 1));
    expect(brief(await outputs)).toEqual(['1B', '2B', '3B', '<interrupt>', '<end>']);
    expect(log).toEqual(['interrupted']);
  });

  it('fail the run together when one of them does', async () => {
    const pool = compete('pool', [alone('throws'), alone('tag', { suffix: 'B' })]);
    const run = new PipelineBuilder()
      .chain(pool)
      .build()
      .execute([text('a'), text('b')]);
    await expect(collect(run)).rejects.toMatchObject({ code: 'model-run' });
    await run.close();
  });
});
