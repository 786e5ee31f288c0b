/** Stages that compete for one stream, inside built pipelines. */
import { describe, expect, it } from 'vitest';
import { channel } from '../../../src/core/channel/channel.ts';
import { element, type StreamElement } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { accumulate, defineStage, sink, transform } from '../../../src/core/stage/define-stage.ts';
import type { Stage } from '../../../src/core/stage/stage.ts';
import { compete, type CompeteOptions } from '../../../src/stages/flow/compete.ts';
import { gate } from '../../../src/testing/gate.ts';
import { brief, recording, text, texts } from './graphs.ts';
import { collect, runOn, settle } from '../../../src/testing/index.ts';

type Task = (text: string, context: { readonly signal: AbortSignal }) => Promise<void> | void;

/** Says its name and what it was given, when `task` is done. */
const worker = (name: string, task: Task = () => undefined): Stage<'text', 'text'> =>
  transform({
    name,
    consumes: ['text'],
    emits: ['text'],
    async process(one, context) {
      await task(one.text, { signal: context.turnSignal(one.turn) });
      return { ...one, text: `${name}:${one.text}` };
    },
  });

const pool = (workers: readonly Stage<'text', 'text'>[], options?: CompeteOptions) =>
  new PipelineBuilder({ channelBufferSize: 64, session: 'live' })
    .chain(recording('before'), compete('pool', workers, options), recording('behind'))
    .build();

/** What no worker consumes. */
const others = (count: number): StreamElement[] =>
  Array.from({ length: count }, (_, turn) =>
    element('transcript', { text: `${turn}`, final: true, turn }),
  );

describe('compete', () => {
  it('gives each element to one worker, the next to whoever is free', async () => {
    const busy = gate();
    const workers = [worker('slow', () => busy.pass()), worker('quick')];
    const run = pool(workers, { order: 'free' }).execute(texts(5));
    const seen: string[] = [];
    for await (const one of run) {
      seen.push(...brief([one]));
      if (seen.length === 4) busy.open();
    }
    expect(seen).toEqual(['quick:1', 'quick:2', 'quick:3', 'quick:4', 'slow:0', '<end>']);
  });

  it('gives the next to the one that has been free the longest', async () => {
    const { outputs } = await pool([worker('a'), worker('b'), worker('c')]).executeSync(
      ...texts(6),
    );
    expect(new Set(brief(outputs).slice(0, 3))).toEqual(new Set(['a:0', 'b:1', 'c:2']));
  });

  it('lets outputs leave in the order of what caused them, unless told otherwise', async () => {
    const busy = gate();
    const task: Task = (value) => (value === '0' ? busy.pass() : undefined);
    const run = pool([worker('a', task), worker('b', task)]).execute(texts(4));
    const outputs = collect(run);
    await busy.reached;
    busy.open();
    expect(brief(await outputs).map((one) => one.replace(/^.:/, ''))).toEqual([
      '0',
      '1',
      '2',
      '3',
      '<end>',
    ]);
  });

  it.each(['kept', 'free'] as const)('leaves control in its place, order %s', async (order) => {
    const busy = gate();
    const task: Task = (value) => (value === 'long' ? busy.pass() : undefined);
    const run = pool([worker('a', task), worker('b', task)], { order }).execute([
      element('speech-start', { turn: 1 }),
      text('long', 1),
      text('short', 1),
      element('turn-end', { turn: 1 }),
      element('speech-start', { turn: 2 }),
      text('next', 2),
    ]);
    if (order === 'kept') void busy.reached.then(busy.open);
    const seen: string[] = [];
    for await (const one of run) {
      seen.push(...brief([one]).map((each) => each.replace(/^.:/, '')));
      if (seen.includes('short')) busy.open();
    }
    const first = order === 'kept' ? ['long', 'short'] : ['short', 'long'];
    expect(seen).toEqual([
      '<speech-start>',
      ...first,
      '<turn-end>',
      '<speech-start>',
      'next',
      '<end>',
    ]);
  });

  it('passes by what the workers do not consume', async () => {
    const message = element('transcript', { text: 'x', final: true });
    const { outputs } = await pool([worker('a')]).executeSync(text('0'), message, text('1'));
    expect(brief(outputs)).toEqual(['a:0', '<transcript>', 'a:1', '<end>']);
  });

  it('reads one element more than there are workers, then waits', async () => {
    const busy = gate();
    const input = channel<StreamElement>({ capacity: 64 });
    for (const one of texts(10)) input.writer.offer(one);
    input.writer.close();
    const taken: string[] = [];
    const tap = transform({
      name: 'tap',
      consumes: ['text'],
      emits: ['text'],
      process: (one) => {
        taken.push(one.text);
        return one;
      },
    });
    const started: string[] = [];
    const task: Task = (value) => {
      started.push(value);
      return busy.pass();
    };
    const run = new PipelineBuilder({ channelBufferSize: 1 })
      .chain(tap, compete('pool', [worker('a', task), worker('b', task)]))
      .build()
      .execute(input.reader);
    const outputs = collect(run);
    await expect.poll(() => started).toEqual(['0', '1']);
    // Two at work, one read, one on the edge, one in the hands of the stage before.
    await expect.poll(() => taken.length).toBe(5);
    busy.open();
    expect(await outputs).toHaveLength(11);
  });

  it.each([
    ['kept', 'passes by', [text('long'), ...others(300)]],
    ['kept', 'is done already', [text('long'), ...texts(300)]],
    ['free', 'is done already', [text('long'), element('turn-end', {}), ...texts(300)]],
    ['free', 'passes by', [text('long'), element('turn-end', {}), ...others(300)]],
  ] as const)('order %s: what %s does not pile up behind what is not', async (order, _, input) => {
    const busy = gate();
    const task: Task = (value) => (value === 'long' ? busy.pass() : undefined);
    const stage = compete('pool', [worker('a', task), worker('b', task)], { order });
    let read = 0;
    const outputs = runOn(
      stage,
      (function* () {
        for (const one of input) {
          read += 1;
          yield one;
        }
      })(),
    );
    let before = -1;
    while (before < read) {
      before = read;
      await settle();
    }
    expect(read).toBeGreaterThan(60);
    expect(read).toBeLessThan(80);
    busy.open();
    const seen = await outputs;
    expect(seen).toHaveLength(input.length);
    if (order === 'kept')
      expect(seen.map(({ turn }) => turn)).toEqual(input.map(({ turn }) => turn));
  });

  it('interrupts all that work on the turn, and goes on', async () => {
    const aborted: string[] = [];
    const started = gate();
    const patient: Task = (value, { signal }) => {
      if (value === 'after') return undefined;
      if (value === 'one') started.open();
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          aborted.push(value);
          resolve();
        });
      });
    };
    const input = channel<StreamElement>({ capacity: 8 });
    const run = pool([worker('a', patient), worker('b', patient)]).execute(input.reader);
    const outputs = collect(run);
    for (const one of [text('zero', 1), text('one', 1)]) await input.writer.write(one);
    await started.pass();
    run.interrupt(1);
    await input.writer.write(text('after', 2));
    input.writer.close();
    const seen = brief(await outputs).map((one) => one.replace(/^.:/, ''));
    expect(aborted.sort()).toEqual(['one', 'zero']);
    expect(seen).toEqual(['<interrupt>', 'after', '<end>']);
  });

  it('lets a worker say several things, also when its turn is over or its input has ended', async () => {
    const hold = (name: string): Stage<'text', 'text'> =>
      accumulate({
        name,
        consumes: ['text'],
        emits: ['text'],
        until: ['turn-end'],
        *flush(held) {
          for (const one of held) for (const part of one.text) yield { ...one, text: part };
        },
      });
    const last = (name: string): Stage<'text', 'text'> =>
      defineStage({
        name,
        type: 'accumulate',
        consumes: ['text'],
        emits: ['text'],
        async *process(input) {
          let count = 0;
          for await (const one of input) {
            count += 1;
            yield one;
          }
          yield text(`${name} had ${count}`);
        },
      });
    const flushed = await pool([hold('a'), hold('b')]).executeSync(text('abc'), text('de'));
    expect(brief(flushed.outputs)).toEqual(['a', 'b', 'c', 'd', 'e', '<end>']);
    const ended = await pool([last('a'), last('b')]).executeSync(...texts(2));
    expect(brief(ended.outputs)).toEqual(['0', '1', 'a had 1', 'b had 1', '<end>']);
  });

  it('keeps a worker that is ahead of the others within its bound', async () => {
    let said = 0;
    const busy = gate();
    const talker = (name: string): Stage<'text', 'text'> =>
      transform({
        name,
        consumes: ['text'],
        emits: ['text'],
        async *process(one) {
          if (one.text === 'wait') await busy.pass();
          else
            for (let index = 0; index < 500; index += 1) {
              said += 1;
              yield text(index);
            }
        },
      });
    const run = pool([talker('a'), talker('b')]).execute([text('wait'), text('talk')]);
    const outputs = collect(run);
    await expect.poll(() => said).toBe(64);
    busy.open();
    expect(brief(await outputs)).toEqual([
      ...Array.from({ length: 500 }, (_, index) => `${index}`),
      '<end>',
    ]);
  });

  it('fails the run with the worker that fails, and ends the others', async () => {
    const ended = gate();
    const broken = worker('broken', () => Promise.reject(new Error('torn')));
    const other: Stage<'text', 'text'> = {
      ...worker('other'),
      async *process(input) {
        try {
          yield* input;
        } finally {
          ended.open();
        }
      },
    };
    const { step: _, ...rest } = other;
    await expect(pool([broken, rest]).executeSync(text('x'))).rejects.toThrow(/torn/);
    await ended.pass();
    const leaver: Stage<'text', 'text'> = {
      name: 'leaver',
      type: 'transform',
      consumes: ['text'],
      emits: ['text'],
      async *process() {},
    };
    await expect(pool([leaver]).executeSync(text('x'))).rejects.toThrow(/"leaver" ended before/);
  });

  it('prepares and disposes all of them, and is as safe for a session as they are', async () => {
    const log: string[] = [];
    const watched = (name: string): Stage<'text', 'text'> => ({
      ...worker(name),
      prepare: async () => void log.push(`+${name}`),
      dispose: () => void log.push(`-${name}`),
    });
    const pipeline = pool([watched('a'), watched('b')]);
    await pipeline.executeSync(text('x'));
    await pipeline.shutdown();
    expect(log).toEqual(['+a', '+b', '-a', '-b']);
    const unary: Stage<'text', 'text'> = { ...worker('c'), session: 'unary' };
    expect(() => pool([worker('a'), unary])).toThrow(/pool/);
  });

  it('refuses workers that differ, and none', () => {
    expect(() => compete('pool', [])).toThrow(/no workers/);
    const other = sink({ name: 'log', consumes: ['message'], take: () => undefined });
    expect(() => compete<'text' | 'message', 'text'>('pool', [worker('a'), other])).toThrow(
      /"a" consumes text, "log" message/,
    );
  });
});
