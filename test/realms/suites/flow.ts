/** The flow family. */
import { expect, it } from 'vitest';
import type { StageMetrics } from '../../../src/stages/flow/stage-meter.ts';
import { elements } from '../../../src/testing/elements.ts';
import { brief, text } from '../brief.ts';
import type { Realm } from '../realm.ts';

/** Registers the cases. */
export function flow(realm: Realm): void {
  const make = elements();
  const four = ['a', 'b', 'c', 'd'].map((each) => text(each));

  it('passthrough changes nothing, buffers moved not lost', async () => {
    const samples = Float32Array.of(1, 2, 3);
    const { outputs } = await realm.run('passthrough', {}, [
      make.audio(samples.slice()),
      make.user('hello'),
      make.turnEnd(),
    ]);
    expect(brief(outputs)).toEqual(['audio', 'message hello', 'turn-end', 'end']);
    expect(outputs[0]).toMatchObject({ samples, sampleRate: 16_000 });
  });

  it('filter keeps what it is to keep, and all control', async () => {
    const { outputs } = await realm.run('filter', { atLeast: 0.5 }, [
      { ...make.transcript('sure'), confidence: 0.9 },
      { ...make.transcript('unsure'), confidence: 0.1 },
      make.turnEnd(),
    ]);
    expect(brief(outputs)).toEqual(['transcript sure', 'turn-end', 'end']);
  });

  it('map keeps the order while it waits', async () => {
    const { outputs } = await realm.run('map', {}, [text('a'), make.turnEnd(), text('b')]);
    expect(brief(outputs)).toEqual(['text A', 'turn-end', 'text B', 'end']);
  });

  it('stageFrom runs a TransformStream', async () => {
    const { outputs } = await realm.run('stageFrom', {}, [text('a'), make.turnEnd(), text('b')]);
    expect(brief(outputs)).toEqual(['text <a>', 'turn-end', 'text <b>', 'end']);
  });

  it('router shares out, merge joins, each route in order', async () => {
    const { outputs } = await realm.run('router', {}, four);
    const seen = brief(outputs);
    expect(seen.filter((one) => one.endsWith('by a'))).toEqual(['text a by a', 'text c by a']);
    expect(seen.filter((one) => one.endsWith('by b'))).toEqual(['text b by b', 'text d by b']);
    expect(seen.at(-1)).toBe('end');
    expect(seen).toHaveLength(5);
  });

  it('merge alone passes on', async () => {
    const { outputs } = await realm.run('merge', {}, [text('a'), make.turnEnd()]);
    expect(brief(outputs)).toEqual(['text a', 'turn-end', 'end']);
  });

  it('a pipeline is a stage', async () => {
    const { outputs } = await realm.run('pipelineStage', {}, [text('a'), make.turnEnd()]);
    expect(brief(outputs)).toEqual(['text a!!', 'turn-end', 'end']);
  });

  it.each(['kept', 'free'] as const)('stages compete, order %s', async (order) => {
    const { outputs } = await realm.run('compete', { order }, [...four, make.turnEnd(), text('e')]);
    const seen = brief(outputs);
    expect(order === 'kept' ? seen : [...seen.slice(0, 4).sort(), ...seen.slice(4)]).toEqual([
      'text a!',
      'text b!',
      'text c!',
      'text d!',
      'turn-end',
      'text e!',
      'end',
    ]);
  });

  it('metrics counts what passes', async () => {
    const { outputs, events } = await realm.run('metrics', {}, four);
    expect(brief(outputs)).toEqual(['text a!', 'text b!', 'text c!', 'text d!', 'end']);
    const told = events.filter(({ type }) => type === 'metrics').at(-1)?.detail as StageMetrics;
    expect(told).toMatchObject({ stage: 'metrics' });
  });

  it('tracing marks what passes, one trace a turn', async () => {
    const { outputs } = await realm.run('tracing', {}, [text('a'), text('b'), text('c', 2)]);
    const traces = outputs.slice(0, 3).map(({ meta }) => String(meta?.['traceparent']));
    expect(traces[0]).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
    expect(traces[1]).toBe(traces[0]);
    expect(traces[2]?.slice(3, 35)).not.toBe(traces[0]?.slice(3, 35));
  });
}
