import { describe, expect, it } from 'vitest';
import { AntiphonError } from '../../../../src/core/errors.ts';
import { PipelineBuilder } from '../../../../src/core/pipeline/builder.ts';
import type { PipelineConfig } from '../../../../src/core/pipeline/config.ts';
import { accumulate, generate, sink, transform } from '../../../../src/core/stage/define-stage.ts';
import { element } from '../../../../src/core/element.ts';
import type { Stage } from '../../../../src/core/stage/stage.ts';
import { brief, passing, tag, text } from './helpers.ts';
import { collect } from '../../../../src/testing/index.ts';

const stage = (name: string, facts: Partial<Stage> = {}): Stage => passing(name, facts).stage;
const builder = (...names: string[]): PipelineBuilder =>
  names.reduce((so, name) => so.add(stage(name)), new PipelineBuilder());
const rate = (input?: number, output?: number): Partial<Stage> => ({
  format: {
    ...(input === undefined ? {} : { input: { sampleRate: input } }),
    ...(output === undefined ? {} : { output: { sampleRate: output } }),
  },
});

function refusal(subject: PipelineBuilder): AntiphonError {
  try {
    subject.build();
  } catch (error) {
    if (AntiphonError.is(error)) return error;
    throw error;
  }
  throw new Error('it was built');
}

describe('build() refuses', () => {
  it.each([
    ['no stages', new PipelineBuilder(), /no stages/],
    ['two stages of one name', builder('a', 'a'), /two stages are called "a"/],
    ['an unknown name', builder('a', 'b').connect('a', 'c'), /unknown stage "c".*use one of: a, b/],
    [
      'an edge given twice',
      builder('a', 'b').connect('a', 'b').connect('a', 'b'),
      /"a" to "b" is given twice/,
    ],
    ['a self-loop', builder('a').connect('a', 'a'), /cyclic: a → a/],
    [
      'a cycle, spelling it out',
      builder('a', 'b', 'c', 'd')
        .connect('a', 'b')
        .connect('b', 'c')
        .connect('c', 'b')
        .connect('c', 'd'),
      /cyclic: (b → c → b|c → b → c)/,
    ],
    [
      'fan-in without a merge',
      builder('a', 'b', 'c').connect('a', 'c').connect('b', 'c'),
      /"c" has several inputs: "a", "b".*\.merge\('c'/,
    ],
    [
      'a stage connected to nothing',
      builder('a', 'b', 'c').connect('a', 'b'),
      /"c" is connected to nothing/,
    ],
    [
      'two unknown ends of one edge, both named',
      builder('a').connect('x', 'y'),
      /edge from "x" to "y" names the unknown stage "x"/,
    ],
    [
      'an edge for a route that its stage does not have',
      builder('a', 'b').connect('a', 'b', { route: 'left' }),
      /from "a" to "b" is for the route "left", which "a" does not have.*RouterStage/,
    ],
    [
      'a route without an edge',
      builder('b')
        .add(stage('a', { routes: ['b', 'c'] }))
        .branch('a', 'b'),
      /route "c" of "a" leads nowhere.*\.branch\('a', \{ to: '…', route: 'c' \}\)/,
    ],
    [
      'an edge without room',
      builder('a', 'b').connect('a', 'b', { capacity: 0 }),
      /the edge from "a" to "b" has capacity 0.*at least 1/,
    ],
    [
      'an edge with a policy that does not exist',
      builder('a', 'b').connect('a', 'b', { overflow: 'drop' as never }),
      /the edge from "a" to "b" has .* overflow "drop".*drop-oldest/,
    ],
    [
      'a merge into an unknown stage',
      builder('a').merge('b'),
      /a merge names the unknown stage "b".*use one of: a/,
    ],
    [
      'a source with an input',
      builder('a')
        .add(stage('mic', { source: true }))
        .connect('a', 'mic'),
      /"mic" is a source.*"a" leads to it/,
    ],
    [
      'two sample rates that do not fit',
      new PipelineBuilder().chain(
        stage('mic', rate(undefined, 48_000)),
        stage('ears', rate(16_000)),
      ),
      /"mic" gives 48000 Hz where "ears" takes 16000 Hz.*behind "mic".*resampler/,
    ],
    [
      'a rate that does not fit behind a stage that leaves it alone',
      new PipelineBuilder().chain(
        stage('mic', rate(undefined, 48_000)),
        stage('log'),
        stage('ears', rate(16_000)),
      ),
      /"mic" gives 48000 Hz where "ears" takes 16000 Hz/,
    ],
    [
      'a rate that does not fit, of several that are merged',
      builder('log')
        .add(stage('mic', rate(undefined, 48_000)))
        .add(stage('file', rate(undefined, 16_000)))
        .add(stage('ears', rate(16_000)))
        .merge('log', 'mic', 'file')
        .connect('log', 'ears'),
      /"mic" gives 48000 Hz where "ears" takes 16000 Hz/,
    ],
  ] as [string, PipelineBuilder, RegExp][])('%s', (_, subject, message) => {
    expect(() => subject.build()).toThrow(message);
    // What to do stands in the message too: a console shows nothing else.
    const error = refusal(subject);
    expect(error).toMatchObject({ code: 'graph' });
    expect(error.hint).toMatch(/^[A-Z].*[.]$/);
    expect(error.message).toContain(error.hint);
  });

  it('a stage that waits for the end of its input in a live session', () => {
    const whole = accumulate({
      name: 'whole',
      consumes: ['text'],
      emits: ['text'],
      flush: () => [],
    });
    const subject = new PipelineBuilder().chain(tag('a'), whole);
    expect(() => subject.build({ session: 'live' })).toThrow(
      /"whole" waits for its input to close/,
    );
    subject.build();
  });

  it.each([
    [{ channelBufferSize: 0 }, /channelBufferSize/],
    [{ channelBufferSize: 1.5 }, /channelBufferSize/],
    [{ idleTimeoutMs: -1 }, /idleTimeoutMs/],
    [{ executionTimeoutMs: Number.NaN }, /executionTimeoutMs/],
    [{ shutdownTimeoutMs: -5 }, /shutdownTimeoutMs/],
  ] as [PipelineConfig, RegExp][])('the setting %o', (config, message) => {
    expect(() => new PipelineBuilder(config).chain(tag('a')).build()).toThrow(message);
  });
});

describe('a builder', () => {
  it('is immutable, so that variants share a beginning', () => {
    const base = new PipelineBuilder().chain(tag('a'), tag('b'));
    const longer = base.add(tag('c')).connect('b', 'c');
    expect(base.build().graph.nodes.map((node) => node.name)).toEqual(['a', 'b']);
    expect(longer.build().graph.edges).toEqual([
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
    ]);
  });

  it('makes a resampler where rates differ, when it was given one', async () => {
    const pipeline = new PipelineBuilder({
      resampler: ({ name, fromSampleRate, toSampleRate }) =>
        transform({
          name,
          consumes: ['audio'],
          emits: ['audio'],
          process: (one) => ({
            ...one,
            sampleRate: (one.sampleRate * toSampleRate) / fromSampleRate,
          }),
        }),
    })
      .chain(stage('mic', rate(undefined, 48_000)), stage('ears', rate(16_000)))
      .build();
    expect(pipeline.graph.edges).toEqual([
      { from: 'mic', to: 'resample mic to ears' },
      { from: 'resample mic to ears', to: 'ears' },
    ]);
    const audio = element('audio', { samples: new Float32Array(1), sampleRate: 48_000 });
    const [first] = await collect(pipeline.execute([audio]));
    expect(first).toMatchObject({ sampleRate: 16_000 });
  });

  it('feeds the input to every root that is not a source', async () => {
    const source = generate({
      name: 'source',
      emits: ['text'],
      async *generate() {
        yield text('made');
      },
    });
    const pipeline = new PipelineBuilder()
      .chain(source, tag('!'))
      .chain(tag('?'), passing('last').stage)
      .build();
    const outputs = await collect(pipeline.execute([text('given')]));
    expect(new Set(brief(outputs))).toEqual(new Set(['made!', 'given?', '<end>']));
  });

  it('draws its graph, one box per thread', () => {
    const pipeline = new PipelineBuilder()
      .chain(
        stage('mic', { source: true, thread: 'audio worklet', emits: ['audio'] }),
        stage('ears', { thread: 'ears' }),
        sink({ name: 'log', consumes: ['audio'], take: () => {} }),
      )
      .build();
    expect(pipeline.toMermaid()).toBe(`flowchart LR
  subgraph t0["audio worklet"]
    s0["mic"]
  end
  subgraph t1["ears"]
    s1["ears"]
  end
  subgraph t2["page"]
    s2["log"]
  end
  s0 -->|"audio"| s1
  s1 --> s2
`);
  });
});
