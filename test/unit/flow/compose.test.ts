/** The smallest stages, and TransformStreams as stages, inside built pipelines. */
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { channel } from '../../../src/core/channel/channel.ts';
import { deferred } from '../../../src/core/deferred.ts';
import { element, type StreamElement, type TextElement } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import type { Stage } from '../../../src/core/stage/stage.ts';
import { filter, map, passthrough } from '../../../src/stages/flow/compose.ts';
import { stageFrom } from '../../../src/stages/flow/stage-from.ts';
import { collect, runOn, testContext } from '../../../src/testing/index.ts';
import { brief, text, texts } from './graphs.ts';

async function through(stage: Stage, ...input: readonly StreamElement[]): Promise<string[]> {
  const { outputs } = await new PipelineBuilder()
    .add(stage)
    .build()
    .executeSync(...input);
  const seen = brief(outputs);
  expect(seen.pop()).toBe('<end>');
  expect(brief(await runOn(stage, input))).toEqual(seen);
  return seen;
}

const turnEnd = element('turn-end', { turn: 1 });

describe('passthrough, filter and map', () => {
  it('pass everything on', async () => {
    expect(await through(passthrough('p'), text('a'), turnEnd)).toEqual(['a', '<turn-end>']);
  });

  it('leave out content, never control', async () => {
    const stage = filter('f', (one) => one.kind === 'text' && one.text !== '1');
    expect(await through(stage, ...texts(3), turnEnd)).toEqual(['0', '2', '<turn-end>']);
    expect(
      await through(
        filter('f', () => false),
        text('x'),
        turnEnd,
      ),
    ).toEqual(['<turn-end>']);
  });

  it('change one kind in its place, also while waiting', async () => {
    const stage = map('m', 'text', async (one) => {
      await Promise.resolve();
      return { ...one, text: `${one.text}!` };
    });
    expect(await through(stage, text('a'), turnEnd, text('b'))).toEqual(['a!', '<turn-end>', 'b!']);
  });

  it('fail the run with what their function throws', async () => {
    const throwing = (): never => {
      throw new Error('bad');
    };
    for (const stage of [filter('f', throwing), map('f', 'text', throwing)])
      await expect(through(stage, text('x'))).rejects.toThrow(/"f".*bad/);
  });
});

const twice = stageFrom(
  { name: 'twice', consumes: ['text'], emits: ['text'] },
  () =>
    new TransformStream<TextElement, TextElement>({
      transform(one, controller) {
        controller.enqueue(one);
        controller.enqueue({ ...one, text: `${one.text}'` });
      },
    }),
);

describe('stageFrom', () => {
  it('keeps what goes around the stream behind what the stream gave before', async () => {
    expect(await through(twice, text('a'), turnEnd, text('b'), turnEnd)).toEqual([
      'a',
      "a'",
      '<turn-end>',
      'b',
      "b'",
      '<turn-end>',
    ]);
  });

  it('waits for a slow transform before it lets the next element pass', async () => {
    const slow = stageFrom(
      { name: 'slow', consumes: ['text'], emits: ['text'] },
      () =>
        new TransformStream<TextElement, TextElement>({
          async transform(one, controller) {
            for (let step = 0; step < 20; step += 1) await Promise.resolve();
            controller.enqueue(one);
          },
        }),
    );
    expect(await through(slow, text('a'), turnEnd)).toEqual(['a', '<turn-end>']);
  });

  it('emits what the stream kept for its end', async () => {
    const held: TextElement[] = [];
    const last = stageFrom(
      { name: 'last', consumes: ['text'], emits: ['text'] },
      () =>
        new TransformStream<TextElement, TextElement>({
          transform: (one) => void (held[0] = one),
          flush: (controller) => held.splice(0).forEach((one) => controller.enqueue(one)),
        }),
    );
    expect(await through(last, ...texts(3), turnEnd)).toEqual(['<turn-end>', '2']);
  });

  it('emits what the stream gives by itself while no input comes', async () => {
    let give = (): void => {};
    const alone = stageFrom(
      { name: 'alone', consumes: ['text'], emits: ['text'] },
      () =>
        new TransformStream<TextElement, TextElement>({
          start(controller) {
            give = () => controller.enqueue(text('by itself'));
          },
        }),
    );
    const input = channel<StreamElement>({ capacity: 2 });
    const pipeline = new PipelineBuilder({ session: 'live' }).add(alone).build();
    const run = pipeline.execute(input.reader);
    await run.ready;
    give();
    for await (const one of run) {
      expect(one).toMatchObject({ text: 'by itself', source: 'alone' });
      break;
    }
    await run.done;
  });

  it('leaves nothing behind for each element while a stream is silent', async () => {
    // The one read that is pending all the time counts who listens to it.
    const silent = new Promise<never>(() => {});
    const listening = vi.spyOn(silent, 'then');
    const readable = { getReader: () => ({ read: () => silent, cancel: async () => {} }) };
    const stage = stageFrom(
      { name: 'silent', consumes: ['text'], emits: ['text'] },
      () =>
        ({ readable, writable: new WritableStream<TextElement>() }) as unknown as TransformStream<
          TextElement,
          TextElement
        >,
    );
    let passed = 0;
    for await (const _ of stage.process(
      (async function* () {
        for (let left = 100; left > 0; left -= 1) yield* [text('x'), turnEnd];
      })(),
      testContext(),
    ))
      if ((passed += 1) === 100) break;
    expect(listening).toHaveBeenCalledTimes(1);
  });

  it('fails the run with the error of the stream', async () => {
    const broken = stageFrom(
      { name: 'broken', consumes: ['text'], emits: ['text'] },
      () =>
        new TransformStream<TextElement, TextElement>({
          transform() {
            throw new Error('burst');
          },
        }),
    );
    const pipeline = new PipelineBuilder().add(broken).build();
    await expect(pipeline.executeSync(...texts(3))).rejects.toThrow(/"broken".*burst/);
  });

  it('aborts the stream when the run is closed while the stream is busy', async () => {
    const [started, cancelled] = [deferred<void>(), deferred<unknown>()];
    const stuck = stageFrom({ name: 'stuck', consumes: ['text'], emits: ['text'] }, () => ({
      writable: new WritableStream<TextElement>({
        write: () => started.resolve(),
        abort: (reason) => cancelled.resolve(reason),
      }),
      readable: new ReadableStream<TextElement>(),
    }));
    const run = new PipelineBuilder()
      .add(stuck)
      .build()
      .execute([text('x')]);
    const outputs = collect(run);
    await started.promise;
    await run.close();
    expect(await cancelled.promise).toMatchObject({ code: 'aborted' });
    expect(await outputs).toEqual([]);
  });

  it('loses and doubles nothing, and keeps order, whatever mixture comes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 30 }), async (mixture) => {
        const input = mixture.map((isText, index) => (isText ? text(index) : turnEnd));
        const expected = mixture.flatMap((isText, index) =>
          isText ? [`${index}`, `${index}'`] : ['<turn-end>'],
        );
        expect(brief(await runOn(twice, input))).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});
