/** Building graphs and settings: §14.2, first half. */
import { expect } from 'vitest';
import { element } from '../../src/core/element.ts';
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import type { PipelineConfig } from '../../src/core/pipeline/config.ts';
import type { Stage } from '../../src/core/stage/stage.ts';
import { accumulate } from '../../src/core/stage/define-stage.ts';
import { brief, passing, tag, text } from '../unit/core/pipeline/helpers.ts';
import { differs, same, type Area } from './row.ts';
import { collect } from '../../src/testing/index.ts';

const stage = (name: string, facts: Partial<Stage> = {}): Stage => passing(name, facts).stage;
const builder = (...names: string[]): PipelineBuilder =>
  names.reduce((so, name) => so.add(stage(name)), new PipelineBuilder());

/** The message of what `build()` throws, which must be a graph error with a hint. */
function refusal(subject: PipelineBuilder): string {
  try {
    subject.build();
  } catch (error) {
    expect(error).toMatchObject({ code: 'graph', hint: expect.stringMatching(/\w/) as string });
    return (error as Error).message;
  }
  throw new Error('it was built');
}

const rate = (input?: number, output?: number): Partial<Stage> => ({
  format: {
    ...(input === undefined ? {} : { input: { sampleRate: input } }),
    ...(output === undefined ? {} : { output: { sampleRate: output } }),
  },
});

/** Graphs that are refused, and settings. */
export const builderArea: Area = {
  title: 'Building a graph',
  rows: [
    same('builder.no-stages', '§14.2', 'A pipeline without stages is refused.', () =>
      expect(refusal(new PipelineBuilder())).toMatch(/no stages.*at least one/i),
    ),
    same(
      'builder.cycle',
      '§14.2',
      'A cycle is refused, a self-loop included; the message spells the cycle out.',
      () => {
        expect(refusal(builder('a').connect('a', 'a'))).toContain('cyclic: a → a');
        const triangle = builder('a', 'b', 'c').connect('a', 'b').connect('b', 'c');
        triangle.build();
        expect(refusal(triangle.connect('c', 'a'))).toMatch(/cyclic: .* → .* → .* → /);
      },
    ),
    same(
      'builder.names',
      '§4',
      'Two stages of one name, and an edge that names a stage nobody added, are refused by name.',
      () => {
        expect(refusal(builder('a', 'a'))).toContain('"a"');
        const message = refusal(builder('a', 'b').connect('a', 'x'));
        expect(message).toMatch(/from "a" to "x".*unknown stage "x".*use one of: a, b/);
      },
    ),
    same(
      'builder.duplicate-edge',
      '§14.2 ▲',
      'The same edge given twice is refused; both ends are named.',
      () =>
        expect(refusal(builder('a', 'b').connect('a', 'b').connect('a', 'b'))).toMatch(
          /"a" to "b" is given twice/,
        ),
    ),
    same(
      'builder.fan-in',
      '§14.2 ▲',
      'Several inputs into one stage are refused unless they are to be merged; all ends are named.',
      () => {
        const both = builder('a', 'b', 'c').connect('a', 'c').connect('b', 'c');
        expect(refusal(both)).toMatch(/"c" has several inputs: "a", "b"/);
        builder('a', 'b', 'c').merge('c', 'a', 'b').build();
      },
    ),
    same(
      'builder.merge-connects-all',
      '§14.2 ▲',
      '`merge` connects every upstream stage it names.',
      () => {
        const { edges } = builder('a', 'b', 'c', 'd').merge('d', 'a', 'b', 'c').build().graph;
        expect(edges.map(({ from, to }) => `${from}→${to}`)).toEqual(['a→d', 'b→d', 'c→d']);
      },
    ),
    differs(
      'builder.disconnected',
      '§14.2 DisconnectedComponents',
      'A stage that is connected to nothing is refused.',
      'The seed accepts it, and the stage then competes for the pipeline’s input or never gets any: always a mistake.',
      () =>
        expect(refusal(builder('a', 'b', 'lonely').connect('a', 'b'))).toMatch(
          /"lonely" is connected to nothing/,
        ),
    ),
    differs(
      'builder.formats',
      '§14.1 capabilities, §5.6',
      'Two neighbours whose sample rates differ get the resampler that was configured; without one the build fails and names both ends and both rates.',
      'The seed only logs a warning, and no voice stage declares its format.',
      async () => {
        const [mic, ears] = [stage('mic', rate(undefined, 48_000)), stage('ears', rate(16_000))];
        const chain = (config: PipelineConfig): PipelineBuilder =>
          new PipelineBuilder(config).chain(mic, stage('log'), ears);
        expect(refusal(chain({}))).toMatch(/"mic" gives 48000 Hz where "ears" takes 16000 Hz/);
        const pipeline = chain({ resampler: ({ name }) => stage(name) }).build();
        expect(pipeline.graph.nodes.map(({ name }) => name)).toContain('resample log to ears');
        const audio = element('audio', { samples: new Float32Array(1), sampleRate: 48_000 });
        expect(await collect(pipeline.execute([audio]))).toHaveLength(2);
        builder('a', 'b').connect('a', 'b').build();
      },
    ),
    differs(
      'builder.session',
      '§12.8',
      'A stage that waits for its input to close is refused in a live session, by name, and allowed in a single exchange.',
      'In the seed nothing marks such stages, and they silence a voice session.',
      async () => {
        const whole = accumulate({
          name: 'whole',
          consumes: ['text'],
          emits: ['text'],
          flush: (all) => all,
        });
        const subject = new PipelineBuilder().chain(tag('a'), whole);
        expect(() => subject.build({ session: 'live' })).toThrow(/"whole" waits for its input/);
        const { outputs } = await subject.build().executeSync(text('x'));
        expect(brief(outputs)).toEqual(['xa', '<end>']);
      },
    ),
    same(
      'builder.clone',
      '§14.2 Clone',
      'Builders can share a beginning: adding to one changes no other.',
      () => {
        const base = builder('a', 'b').connect('a', 'b');
        const longer = base.add(stage('c')).connect('b', 'c');
        expect(base.build().graph.nodes).toHaveLength(2);
        expect(longer.build().graph.nodes).toHaveLength(3);
      },
    ),
    same(
      'config.validate',
      '§14.2 Config.Validate',
      'A setting that makes no sense is refused, and the message names it.',
      () => {
        const build = (config: PipelineConfig): unknown =>
          new PipelineBuilder(config).chain(tag('a')).build();
        for (const name of [
          'channelBufferSize',
          'idleTimeoutMs',
          'executionTimeoutMs',
          'shutdownTimeoutMs',
        ])
          expect(() => build({ [name]: -1 })).toThrow(
            expect.objectContaining({
              code: 'invalid-argument',
              message: expect.stringContaining(name) as string,
            }),
          );
        build({ channelBufferSize: 1, idleTimeoutMs: 0, executionTimeoutMs: 0 });
      },
    ),
  ],
};
