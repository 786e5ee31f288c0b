/** Pipelines inside pipelines. */
import { describe, expect, it } from 'vitest';
import { channel } from '../../../src/core/channel/channel.ts';
import { deferred } from '../../../src/core/deferred.ts';
import { element, type StreamElement } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { transform } from '../../../src/core/stage/define-stage.ts';
import type { Stage } from '../../../src/core/stage/stage.ts';
import { map, passthrough } from '../../../src/stages/flow/compose.ts';
import { pipelineStage } from '../../../src/stages/flow/pipeline-stage.ts';
import { brief, recording, text, texts } from './graphs.ts';
import { collect, settle } from '../../../src/testing/index.ts';

const tag = (name: string): Stage =>
  map(name, 'text', (one) => ({ ...one, text: one.text + name }));
const turnEnd = element('turn-end', { turn: 1 });

describe('pipelineStage', () => {
  it('does in its place what the pipeline does, control in order, one end', async () => {
    const nested = new PipelineBuilder().add(tag('b')).add(tag('c')).connect('b', 'c').build();
    const outer = new PipelineBuilder()
      .add(tag('a'))
      .add(pipelineStage('nested', nested))
      .add(tag('d'))
      .connect('a', 'nested')
      .connect('nested', 'd')
      .build();
    const once = ['1abcd', '<turn-end>', '2abcd', '<end>'];
    for (let run = 0; run < 2; run += 1)
      expect(brief((await outer.executeSync(text('1'), turnEnd, text('2'))).outputs)).toEqual(once);
    const both = await Promise.all([outer.executeSync(text('x')), outer.executeSync(text('y'))]);
    expect(both.map(({ outputs }) => brief(outputs)[0])).toEqual(['xabcd', 'yabcd']);
  });

  it('may have branches inside, and says what goes in and comes out', async () => {
    const nested = new PipelineBuilder()
      .add(passthrough('in'))
      .add(tag('x'))
      .add(tag('y'))
      .branch('in', 'x', 'y')
      .build();
    const stage = pipelineStage('fan', nested);
    expect(stage.emits).toEqual(['text']);
    const { outputs } = await new PipelineBuilder()
      .add(stage)
      .build()
      .executeSync(...texts(2));
    expect(brief(outputs).toSorted()).toEqual(['0x', '0y', '1x', '1y', '<end>']);
  });

  it('shares the state of turns with the run it is in', async () => {
    const write = transform({
      name: 'write',
      consumes: ['text'],
      emits: ['text'],
      process(one, context) {
        context.turn(one.turn).systemPrompt = 'be brief';
        return one;
      },
    });
    const read = transform({
      name: 'read',
      consumes: ['text'],
      emits: ['text'],
      process: (one, context) => ({ ...one, text: context.turn(one.turn).systemPrompt }),
    });
    const nested = pipelineStage('nested', new PipelineBuilder().chain(write).build());
    const outer = new PipelineBuilder().add(nested).add(read).connect('nested', 'read').build();
    expect(brief((await outer.executeSync(text('x'))).outputs)).toEqual(['be brief', '<end>']);
  });

  it('prepares nested stages before the first element, and tells their events', async () => {
    const order: string[] = [];
    const inner = transform({
      name: 'inner',
      consumes: ['text'],
      emits: ['text'],
      async prepare() {
        await Promise.resolve();
        order.push('prepared');
      },
      process(one, context) {
        context.emit('noticed', one.text);
        return one;
      },
    });
    const nested = pipelineStage('nested', new PipelineBuilder().chain(inner).build());
    const run = new PipelineBuilder().add(nested).build().execute(texts(1));
    run.on(({ type, stage }) => {
      if (stage !== 'input') order.push(`${stage}:${type}`);
    });
    await run.drain();
    expect(order).toEqual([
      ':run-started',
      'prepared',
      'nested:stage-prepared',
      'nested:noticed',
      'nested:stage-completed',
      ':run-completed',
    ]);
  });

  it('gets an interrupt through at once, while every nested queue is full', async () => {
    const busy = deferred<void>();
    const interrupted = deferred<void>();
    const stuck: Stage = {
      ...passthrough('stuck'),
      process: async function* (input, context) {
        for await (const one of input) {
          if (one.kind === 'text' && one.turn === 1) {
            context.turnSignal(1).addEventListener('abort', () => interrupted.resolve());
            busy.resolve();
            await interrupted.promise;
          }
          yield one;
        }
      },
    };
    const { step: _, ...generator } = stuck;
    const nested = new PipelineBuilder({ channelBufferSize: 1 })
      .add(passthrough('in'))
      .add(generator)
      .connect('in', 'stuck')
      .build({ session: 'live' });
    const outer = new PipelineBuilder({ session: 'live', channelBufferSize: 1 })
      .add(pipelineStage('nested', nested))
      .build();
    const input = channel<StreamElement>({ capacity: 32 });
    for (const one of texts(16)) input.writer.offer(one);
    const run = outer.execute(input.reader);
    const outputs = collect(run);
    await busy.promise;
    run.interrupt(1);
    await interrupted.promise;
    await input.writer.write(text('next', 2));
    input.writer.close();
    const seen = brief(await outputs);
    expect(seen.filter((one) => one === '<interrupt>')).toHaveLength(1);
    expect(seen.slice(-2)).toEqual(['next', '<end>']);
    expect(seen).toHaveLength(3);
  });

  it('gets one interrupt, however many turns it voids', async () => {
    const inner = recording('inner');
    const outer = new PipelineBuilder({ session: 'live' })
      .add(pipelineStage('nested', new PipelineBuilder({ session: 'live' }).add(inner).build()))
      .build();
    const input = channel<StreamElement>({ capacity: 32 });
    const run = outer.execute(input.reader);
    const outputs = run[Symbol.asyncIterator]();
    for (let turn = 1; turn <= 6; turn += 1) {
      await input.writer.write(text(`${turn}`, turn));
      await outputs.next();
    }
    for (const turn of [4, 5]) {
      run.interrupt(turn);
      await settle();
    }
    input.writer.close();
    await run.drain();
    const interrupts = inner.seen.filter(({ kind }) => kind === 'interrupt');
    expect(interrupts.map(({ turn }) => turn)).toEqual([4, 5]);
  });

  it('fails the outer run, naming the nested stage', async () => {
    const broken = map('broken', 'text', () => {
      throw new Error('torn');
    });
    const nested = pipelineStage('nested', new PipelineBuilder().chain(broken).build());
    const outer = new PipelineBuilder().add(nested).build();
    await expect(outer.executeSync(text('x'))).rejects.toMatchObject({
      stage: 'broken',
      message: expect.stringContaining('torn'),
    });
  });

  it('ends with the outer run: when that is closed, and when another stage cannot be prepared', async () => {
    const inner = recording('inner');
    const pipeline = new PipelineBuilder().add(inner).build();
    const outer = new PipelineBuilder().add(pipelineStage('nested', pipeline)).build();
    const input = channel<StreamElement>({ capacity: 2 });
    const run = outer.execute(input.reader);
    await input.writer.write(text('x'));
    for await (const _ of run) break;
    await run.done;
    await expect(input.writer.write(text('y'))).rejects.toMatchObject({ code: 'channel-closed' });

    const bad: Stage = {
      ...passthrough('bad'),
      prepare: () => Promise.reject(new Error('no model')),
    };
    const failing = new PipelineBuilder()
      .add(pipelineStage('nested', new PipelineBuilder().add(recording('inner')).build()))
      .add(bad)
      .connect('nested', 'bad')
      .build();
    const events: string[] = [];
    const failed = failing.execute(texts(1));
    failed.on(({ type }) => events.push(type));
    await expect(failed.drain()).rejects.toThrow(/no model/);
    expect(events).not.toContain('stage-abandoned');
  });

  it('is refused in a live session when the pipeline was built for one input', () => {
    const nested = new PipelineBuilder().add(recording('inner')).build();
    const live = new PipelineBuilder({ session: 'live' }).add(pipelineStage('nested', nested));
    expect(() => live.build()).toThrow(/"nested".*live session/);
  });

  it('is shut down with the outer pipeline', async () => {
    const nested = new PipelineBuilder().add(recording('inner')).build();
    await new PipelineBuilder().add(pipelineStage('nested', nested)).build().shutdown();
    expect(() => nested.execute()).toThrow(/shut down/);
  });
});
