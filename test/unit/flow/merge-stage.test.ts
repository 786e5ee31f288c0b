/** Joining branches inside built pipelines. */
import { describe, expect, it } from 'vitest';
import { channel } from '../../../src/core/channel/channel.ts';
import type { StreamElement } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { generate } from '../../../src/core/stage/define-stage.ts';
import type { Stage } from '../../../src/core/stage/stage.ts';
import { MergeStage } from '../../../src/stages/flow/merge-stage.ts';
import { brief, recording, text } from './graphs.ts';
import { collect } from '../../../src/testing/index.ts';

const source = (name: string, values: AsyncIterable<string> | Iterable<string>): Stage =>
  generate({
    name,
    emits: ['text'],
    async *generate() {
      for await (const value of values) yield text(value);
    },
  });

const merged = (sources: readonly Stage[], capacity = 32) =>
  sources
    .reduce(
      (builder, stage) => builder.add(stage).connect(stage.name, 'merge'),
      new PipelineBuilder({ channelBufferSize: capacity }).add(new MergeStage()),
    )
    .build();

describe('MergeStage', () => {
  it('takes several inputs without a merge of the builder, each in order, and ends once', async () => {
    const { outputs } = await merged([
      source('a', ['a0', 'a1']),
      source('b', ['b0', 'b1']),
    ]).executeSync();
    const seen = brief(outputs);
    expect(seen.filter((one) => one.startsWith('a'))).toEqual(['a0', 'a1']);
    expect(seen.filter((one) => one.startsWith('b'))).toEqual(['b0', 'b1']);
    expect(seen.filter((one) => one === '<end>')).toHaveLength(1);
    expect(seen.at(-1)).toBe('<end>');
  });

  it('goes on with a branch after the other has ended, in a live session', async () => {
    const late = channel<StreamElement>({ capacity: 4 });
    const pipeline = new PipelineBuilder({ session: 'live' })
      .chain(source('short', ['short']), new MergeStage(), recording('last'))
      .add(recording('long'))
      .connect('long', 'merge')
      .build();
    const run = pipeline.execute(late.reader);
    const seen: string[] = [];
    for await (const one of run) {
      seen.push(...brief([one]));
      if (seen.length === 1) {
        await late.writer.write(text('later'));
        late.writer.close();
      }
    }
    expect(seen).toEqual(['short', 'later', '<end>']);
  });

  it('takes turns between inputs that all have something', async () => {
    const values = (name: string) => Array.from({ length: 40 }, (_, index) => `${name}${index}`);
    const { outputs } = await merged(
      [source('a', values('a')), source('b', values('b'))],
      4,
    ).executeSync();
    const firsts = brief(outputs).slice(0, 40);
    const ofA = firsts.filter((one) => one.startsWith('a')).length;
    expect(ofA).toBeGreaterThanOrEqual(12);
    expect(ofA).toBeLessThanOrEqual(28);
  });

  it('lets one interrupt out for one that came in on every branch', async () => {
    const pipeline = new PipelineBuilder()
      .add(recording('first'))
      .add(recording('a'))
      .add(recording('b'))
      .branch('first', 'a', 'b')
      .add(new MergeStage())
      .connect('a', 'merge')
      .connect('b', 'merge')
      .build();
    const input = channel<StreamElement>({ capacity: 4 });
    const run = pipeline.execute(input.reader);
    const outputs = collect(run);
    await run.ready;
    await input.writer.write({ kind: 'interrupt', turn: 1, at: 0, source: '' });
    await input.writer.write(text('kept', 2));
    input.writer.close();
    expect(brief(await outputs)).toEqual(['<interrupt>', 'kept', 'kept', '<end>']);
  });

  it('fails the run with the branch that fails', async () => {
    const broken = source(
      'broken',
      (async function* () {
        yield* [];
        throw new Error('torn');
      })(),
    );
    await expect(merged([source('a', ['a']), broken]).executeSync()).rejects.toThrow(
      /broken.*torn/,
    );
  });
});
