import { afterEach, describe, expect, it, vi } from 'vitest';
import { element, textMessage, type StreamElement } from '../../../../src/core/element.ts';
import { AntiphonError } from '../../../../src/core/errors.ts';
import { PipelineBuilder } from '../../../../src/core/pipeline/builder.ts';
import { defineStage, generate, sink, transform } from '../../../../src/core/stage/define-stage.ts';
import type { RemoteStage, Stage } from '../../../../src/core/stage/stage.ts';
import { brief, counting, forever, passing, probe, pushable, tag, text } from './helpers.ts';
import { collect } from '../../../../src/testing/index.ts';

const failing = (name: string, error: unknown = new Error('broken')): Stage =>
  transform({
    name,
    consumes: ['text'],
    emits: ['text'],
    process: () => {
      throw error;
    },
  });

afterEach(() => {
  vi.useRealTimers();
});

/** Closes a run in which the stage does not end by itself, and expects that this is told. */
async function expectAbandoned(stage: Stage): Promise<void> {
  const events: string[] = [];
  const run = new PipelineBuilder({ idleTimeoutMs: 0 })
    .chain(stage)
    .build()
    .execute([text('x')]);
  run.on((event) => events.push(event.type));
  await run.ready;
  const closing = run.close();
  await vi.advanceTimersByTimeAsync(1000);
  await closing;
  expect(events).toContain('stage-abandoned');
}

describe('a run', () => {
  it('passes elements through a chain in order and ends with its input', async () => {
    const pipeline = new PipelineBuilder().chain(tag('a'), tag('b')).build();
    const run = pipeline.execute([text('1'), text('2')]);
    expect(brief(await collect(run))).toEqual(['1ab', '2ab', '<end>']);
    await run.done;
  });

  it('sends everything down every branch, buffers copied, and merges back in order', async () => {
    const seen: Float32Array[] = [];
    const keep = (name: string): Stage =>
      defineStage({
        name,
        type: 'transform',
        consumes: ['audio'],
        emits: ['audio'],
        async *process(input) {
          for await (const one of input) {
            seen.push(one.samples);
            yield { ...one, source: name };
          }
        },
      });
    const pipeline = new PipelineBuilder()
      .chain(passing('in').stage)
      .add(keep('left'))
      .add(keep('right'))
      .add(passing('out').stage)
      .branch('in', 'left', 'right')
      .merge('out', 'left', 'right')
      .build();
    const inputs = [1, 2, 3].map((at) =>
      element('audio', { samples: Float32Array.of(at), sampleRate: 16_000, at }),
    );
    const outputs = await collect(pipeline.execute(inputs));
    for (const branch of ['left', 'right'])
      expect(outputs.filter((one) => one.source === branch).map((one) => one.at)).toEqual([
        1, 2, 3,
      ]);
    expect(new Set(seen.map((samples) => samples.buffer)).size).toBe(6);
    expect(outputs.filter((one) => one.kind === 'end')).toHaveLength(1);
  });

  it('lets a branch with a dropping policy be slow without holding up the others', async () => {
    const stuck = probe('stuck', async function* (input, { signal }) {
      for await (const _ of input)
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      yield* [];
    });
    const pipeline = new PipelineBuilder()
      .chain(passing('in').stage, passing('fast').stage)
      .add(stuck.stage)
      .branch('in', { to: 'stuck', capacity: 2, overflow: 'drop-oldest' })
      .build();
    const events: string[] = [];
    const input = pushable();
    const run = pipeline.execute(input.reader);
    run.on((event) => events.push(event.type));
    const iterator = run[Symbol.asyncIterator]();
    for (let at = 0; at < 20; at += 1) {
      await input.writer.write(text(String(at)));
      expect((await iterator.next()).value).toMatchObject({ text: String(at) });
    }
    expect(events).toContain('element-dropped');
    await run.close();
  });

  it('drains a leaf while another leaf is slow to come up with anything', async () => {
    let release = (): void => {};
    const slow = probe('slow', async function* (input) {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      yield* input;
    });
    const pipeline = new PipelineBuilder({ channelBufferSize: 64 })
      .chain(passing('in').stage, tag('fast'))
      .add(slow.stage)
      .branch('in', 'slow')
      .build();
    const run = pipeline.execute([1, 2, 3].map((at) => text(String(at))));
    const iterator = run[Symbol.asyncIterator]();
    for (const at of [1, 2, 3])
      expect((await iterator.next()).value).toMatchObject({ text: `${at}fast` });
    release();
    expect(brief(await collect({ [Symbol.asyncIterator]: () => iterator }))).toEqual([
      '1',
      '2',
      '3',
      '<end>',
    ]);
  });

  it('gives each of many concurrent executions exactly its own elements', async () => {
    const pipeline = new PipelineBuilder({ channelBufferSize: 2 })
      .chain(tag('a'), tag('b'))
      .build();
    const all = await Promise.all(
      Array.from({ length: 20 }, async (_, run) =>
        brief(await collect(pipeline.execute([0, 1, 2].map((at) => text(`${run}.${at}`))))),
      ),
    );
    for (const [run, outputs] of all.entries())
      expect(outputs).toEqual([`${run}.0ab`, `${run}.1ab`, `${run}.2ab`, '<end>']);
  });

  it('prepares every stage before any source starts', async () => {
    const order: string[] = [];
    const source = generate({
      name: 'source',
      emits: ['text'],
      async *generate() {
        order.push('source');
        yield text('x');
      },
    });
    const slow: Stage = {
      ...passing('slow').stage,
      prepare: async () => {
        await new Promise((resolve) => setTimeout(resolve));
        order.push('prepared');
      },
    };
    const run = new PipelineBuilder().chain(source, slow).build().execute();
    await run.ready;
    await collect(run);
    expect(order).toEqual(['prepared', 'source']);
  });

  it('shares the state of a turn between stages, from the defaults of the run', async () => {
    const writer = probe('writer', async function* (input, context) {
      for await (const one of input) {
        if (one.kind === 'text') context.turn(one.turn).systemPrompt = `prompt ${one.text}`;
        yield one;
      }
    });
    const prompts: string[] = [];
    const reader = sink({
      name: 'reader',
      consumes: ['text'],
      take: (one, context) => {
        const turn = context.turn(one.turn);
        prompts.push(`${turn.conversation}: ${turn.systemPrompt}`);
      },
    });
    const pipeline = new PipelineBuilder().chain(writer.stage, reader).build();
    const run = pipeline.execute([text('a', 1), text('b', 2)], {
      turn: { conversation: 'kitchen' },
    });
    await run.drain();
    expect(prompts).toEqual(['kitchen: prompt a', 'kitchen: prompt b']);
  });

  it('relays what stages emit as events, and its own', async () => {
    const noisy = transform({
      name: 'noisy',
      consumes: ['text'],
      emits: [],
      process: (one, context) => context.emit('heard', one.text),
    });
    const run = new PipelineBuilder()
      .chain(noisy)
      .build()
      .execute([text('x')]);
    const types: string[] = [];
    const streamed = (async () => {
      const all: string[] = [];
      for await (const event of run.events) all.push(event.type);
      return all;
    })();
    run.on((event) => types.push(event.type));
    await run.drain();
    for (const type of [
      'run-started',
      'stage-prepared',
      'heard',
      'stage-completed',
      'run-completed',
    ])
      expect(types).toContain(type);
    expect(await streamed).toEqual(types);
  });
});

describe('a failing stage', () => {
  it('cancels its siblings, upstream and down, and rejects iteration and done with its name', async () => {
    const source = counting('source');
    const sibling = passing('sibling');
    const after = passing('after');
    const pipeline = new PipelineBuilder({ idleTimeoutMs: 0, channelBufferSize: 2 })
      .chain(source.stage, failing('bad'), after.stage)
      .add(sibling.stage)
      .branch('source', 'sibling')
      .build();
    const run = pipeline.execute();
    await expect(collect(run)).rejects.toMatchObject({ code: 'stage', stage: 'bad' });
    await expect(run.done).rejects.toThrow(/stage "bad" \(transform\) failed: broken/);
    await Promise.all([source.closed, sibling.closed, after.closed]);
  });

  it('reaches executeSync, whose caller would never see an error element', async () => {
    const pipeline = new PipelineBuilder().chain(failing('bad')).build();
    await expect(pipeline.executeSync(text('x'))).rejects.toMatchObject({ stage: 'bad' });
  });

  it('keeps the code and hint of a typed error', async () => {
    const error = new AntiphonError('model-run', 'no', { hint: 'Try later.', retryable: true });
    const run = new PipelineBuilder()
      .chain(failing('bad', error))
      .build()
      .execute([text('x')]);
    await expect(run.drain()).rejects.toMatchObject({
      code: 'model-run',
      hint: 'Try later.',
      retryable: true,
      stage: 'bad',
    });
  });

  it.each([
    [
      'a process that throws before it iterates',
      {
        process: () => {
          throw new Error('early');
        },
      },
    ],
    ['a prepare that throws', { prepare: () => Promise.reject(new Error('early')) }],
    [
      'a prepare that throws at once',
      {
        prepare: () => {
          throw new Error('early');
        },
      },
    ],
  ] as [string, Partial<Stage>][])('fails the run on %s', async (_, facts) => {
    const source = counting('source');
    const bad: Stage = { ...passing('bad').stage, ...facts };
    const run = new PipelineBuilder({ idleTimeoutMs: 0 })
      .chain(source.stage, bad)
      .build()
      .execute();
    await expect(run.drain()).rejects.toThrow(/early/);
    await expect(run.done).rejects.toMatchObject({ stage: 'bad' });
  });

  it('fails the run when the input throws', async () => {
    const run = new PipelineBuilder()
      .chain(tag('a'))
      .build()
      .execute(
        (async function* () {
          yield text('1');
          throw new Error('no more');
        })(),
      );
    await expect(run.drain()).rejects.toThrow(/no more/);
  });

  it('is not an error element: that flows on', async () => {
    const data = { code: 'model-run', message: 'm', hint: '', retryable: false } as const;
    const pipeline = new PipelineBuilder().chain(tag('a')).build();
    const result = await pipeline.executeSync(element('error', { error: data }), text('x'));
    expect(result.error).toEqual(data);
    expect(brief(result.outputs)).toEqual(['<error>', 'xa', '<end>']);
  });
});

describe('ending a run', () => {
  it('waits for a stage elsewhere that was being attached when another one failed', async () => {
    let attached = (): void => {};
    let isReleased = false;
    const elsewhere: RemoteStage = {
      ...passing('elsewhere').stage,
      thread: 'elsewhere',
      async attach(ends, { signal }) {
        await new Promise<void>((resolve) => {
          attached = resolve;
        });
        const done = (async () => {
          await new Promise((resolve) => setTimeout(resolve));
          expect(signal.aborted).toBe(true);
          ends.input?.close();
          ends.output.close();
          isReleased = true;
        })();
        return { done };
      },
    };
    const bad: Stage = {
      ...passing('bad').stage,
      prepare: () => Promise.reject(new Error('no model')),
    };
    const run = new PipelineBuilder().chain(elsewhere, bad).build().execute([]);
    await expect(run.ready)
      .rejects.toThrow('no model')
      .catch(() => {});
    await expect(collect(run)).rejects.toThrow('no model');
    attached();
    await expect(run.done).rejects.toMatchObject({ stage: 'bad' });
    expect(isReleased).toBe(true);
  });

  it('does not wait for what others still prepare when a stage elsewhere has failed', async () => {
    const elsewhere: RemoteStage = {
      ...passing('elsewhere').stage,
      thread: 'elsewhere',
      attach: async ({ input, output }) => {
        input?.close();
        output.close();
        return { done: Promise.reject(new Error('it died')) };
      },
    };
    const slow: Stage = { ...passing('slow').stage, prepare: forever };
    const run = new PipelineBuilder({ idleTimeoutMs: 0 }).chain(elsewhere, slow).build().execute();
    await expect(run.drain()).rejects.toMatchObject({ stage: 'elsewhere' });
  });

  it('releases everything when its reader leaves the loop', async () => {
    const source = counting('source');
    const middle = passing('middle');
    const run = new PipelineBuilder({ idleTimeoutMs: 0 })
      .chain(source.stage, middle.stage)
      .build()
      .execute();
    let read = 0;
    for await (const _ of run) if ((read += 1) === 3) break;
    expect([source.isClosed(), middle.isClosed()]).toEqual([true, true]);
    await run.done;
    const made = source.made();
    await new Promise((resolve) => setTimeout(resolve));
    expect(source.made()).toBe(made);
  });

  it('returns the input iterator of an abandoned run', async () => {
    let returned = false;
    const input = (async function* () {
      try {
        for (let at = 0; ; at += 1) yield text(String(at));
      } finally {
        returned = true;
      }
    })();
    for await (const _ of new PipelineBuilder().chain(tag('a')).build().execute(input)) break;
    expect(returned).toBe(true);
  });

  it('rejects with "aborted" when the caller\'s signal aborts', async () => {
    const control = new AbortController();
    const source = counting('source');
    const run = new PipelineBuilder()
      .chain(source.stage)
      .build()
      .execute([], { signal: control.signal });
    const reading = collect(run);
    await run.ready;
    control.abort();
    await expect(reading).rejects.toMatchObject({ code: 'aborted' });
    await expect(run.done).rejects.toMatchObject({ code: 'aborted' });
    expect(source.isClosed()).toBe(true);
  });

  it('ends upstream when a stage has seen enough, without a failure', async () => {
    const source = counting('source');
    const two = probe('two', async function* (input) {
      let left = 2;
      for await (const one of input) {
        yield one;
        if ((left -= 1) === 0) return;
      }
    });
    const run = new PipelineBuilder().chain(source.stage, two.stage, tag('!')).build().execute();
    expect(brief(await collect(run)).slice(0, 2)).toEqual(['1!', '2!']);
    await run.done;
    expect(source.isClosed()).toBe(true);
  });

  it('does not wait for a generator that is parked in an await of its own', async () => {
    vi.useFakeTimers();
    const stuck = probe('stuck', async function* () {
      await forever();
      yield text('never');
    });
    await expectAbandoned(stuck.stage);
  });

  it('waits for the tear-down of a step, and tells of one that is parked', async () => {
    vi.useFakeTimers();
    const closed: string[] = [];
    const slow = transform({
      name: 'slow',
      consumes: ['text'],
      emits: ['text'],
      async *process(one) {
        try {
          yield one;
          yield one;
        } finally {
          await Promise.resolve();
          closed.push('slow');
        }
      },
    });
    const leaving = new PipelineBuilder({ channelBufferSize: 1 }).chain(slow).build();
    for await (const _ of leaving.execute([text('x')])) break;
    expect(closed).toEqual(['slow']);

    const stuck = transform({
      name: 'stuck',
      consumes: ['text'],
      emits: ['text'],
      process: () => forever(),
    });
    await expectAbandoned(stuck);
  });

  it('does not wait for a prepare that never settles', async () => {
    const stuck: Stage = { ...passing('stuck').stage, prepare: forever };
    const run = new PipelineBuilder({ idleTimeoutMs: 0 }).chain(stuck).build().execute([]);
    run.ready.catch(() => {});
    await run.close();
    await run.done;
  });

  it('stops with its executionTimeoutMs', async () => {
    vi.useFakeTimers();
    const run = new PipelineBuilder({ executionTimeoutMs: 50, idleTimeoutMs: 0 })
      .chain(tag('a'))
      .build()
      .execute(pushable().reader);
    const reading = expect(collect(run)).rejects.toMatchObject({ code: 'execution-timeout' });
    await vi.advanceTimersByTimeAsync(50);
    await reading;
  });

  it('stops when nothing moved for idleTimeoutMs, and not before', async () => {
    vi.useFakeTimers();
    const input = pushable();
    const run = new PipelineBuilder({ idleTimeoutMs: 1000 })
      .chain(tag('a'))
      .build()
      .execute(input.reader);
    let failed = false;
    const reading = collect(run).catch((error: AntiphonError) => {
      failed = true;
      return error;
    });
    for (let step = 0; step < 5; step += 1) {
      await vi.advanceTimersByTimeAsync(700);
      input.writer.offer(text('still here'));
    }
    expect(failed).toBe(false);
    await vi.advanceTimersByTimeAsync(1300);
    expect(await reading).toMatchObject({ code: 'idle-timeout' });
  });

  it.each([[{ idleTimeoutMs: 0 }], [{ session: 'live' as const }]])(
    'never stops for idleness with %o',
    async (config) => {
      vi.useFakeTimers();
      const input = pushable();
      const run = new PipelineBuilder(config).chain(tag('a')).build().execute(input.reader);
      const reading = collect(run);
      await vi.advanceTimersByTimeAsync(3_600_000);
      input.writer.offer(text('hello'));
      input.writer.close();
      expect(brief(await reading)).toEqual(['helloa', '<end>']);
    },
  );
});

describe('shutdown', () => {
  it('cancels what runs, waits for the tear-down, disposes once, and refuses new runs', async () => {
    const source = counting('source');
    const dispose = vi.fn();
    const pipeline = new PipelineBuilder({ idleTimeoutMs: 0 })
      .chain({ ...source.stage, dispose })
      .build();
    const run = pipeline.execute();
    const reading = collect(run);
    await run.ready;
    await Promise.all([
      expect(reading).rejects.toMatchObject({ code: 'shutdown' }),
      pipeline.shutdown(),
    ]);
    expect(source.isClosed()).toBe(true);
    await pipeline.shutdown();
    expect(dispose).toHaveBeenCalledTimes(1);
    expect(() => pipeline.execute()).toThrow(/shut down/);
  });

  it('says so when a stage takes too long', async () => {
    vi.useFakeTimers();
    const stuck = probe('stuck', async function* () {
      await forever();
      yield text('never');
    });
    const pipeline = new PipelineBuilder({ shutdownTimeoutMs: 500 }).chain(stuck.stage).build();
    const run = pipeline.execute([]);
    run.done.catch(() => {});
    await run.ready;
    const over = expect(pipeline.shutdown()).rejects.toMatchObject({ code: 'shutdown-timeout' });
    await vi.advanceTimersByTimeAsync(500);
    await over;
  });
});

describe('executeSync', () => {
  it('collects messages, the last response and the usage', async () => {
    const pipeline = new PipelineBuilder().chain(passing('in').stage).build();
    const message = (role: 'user' | 'assistant', content: string, usage = {}): StreamElement =>
      element('message', { message: textMessage(role, content, { usage }) });
    const result = await pipeline.executeSync(
      message('user', 'hi'),
      message('assistant', 'one', { inputTokens: 5, outputTokens: 2 }),
      message('assistant', 'two', { inputTokens: 1, outputTokens: 3 }),
    );
    expect(result.messages.map((one) => one.role)).toEqual(['user', 'assistant', 'assistant']);
    expect(result.text).toBe('two');
    expect(result.usage).toEqual({ inputTokens: 6, outputTokens: 5 });
    expect(result.trace.durationMs).toBe(result.trace.endedAtMs - result.trace.startedAtMs);
  });

  it('takes nothing of the past for the response', async () => {
    const replayed = element('message', {
      message: textMessage('assistant', 'Yesterday.'),
      meta: { fromHistory: true },
    });
    const result = await new PipelineBuilder().chain(tag('a')).build().executeSync(replayed);
    expect(result).toMatchObject({ messages: [replayed.message], text: '' });
    expect(result).not.toHaveProperty('response');
  });

  it('gives an empty result for no elements', async () => {
    const result = await new PipelineBuilder().chain(tag('a')).build().executeSync();
    expect(result.messages).toEqual([]);
    expect(result).not.toHaveProperty('response');
    expect(result).not.toHaveProperty('error');
  });
});
