/** The ways to write a stage, and what of a run reaches it. */
import { expect, it } from 'vitest';
import { elements } from '../../../src/testing/elements.ts';
import { brief, text } from '../brief.ts';
import type { Realm } from '../realm.ts';

/** Registers the cases. */
export function shapes(realm: Realm): void {
  const make = elements();

  it('a stage runs where it is said to', async () => {
    const { outputs } = await realm.run('where', {}, []);
    expect(brief(outputs)).toEqual([`text ${realm.name}`, 'end']);
  });

  it('transform changes what it consumes and passes on the rest in order', async () => {
    const { outputs } = await realm.run('transform', { suffix: '?' }, [
      text('a'),
      make.user('b'),
      make.turnEnd(),
      text('c'),
    ]);
    expect(brief(outputs)).toEqual(['text a?', 'message b', 'turn-end', 'text c?', 'end']);
  });

  it('accumulate gathers up to the end of the turn, and what is left at the end', async () => {
    const { outputs } = await realm.run('accumulate', {}, [
      text('a'),
      text('b'),
      make.turnEnd(),
      text('c'),
    ]);
    expect(brief(outputs)).toEqual(['text a+b', 'turn-end', 'text c', 'end']);
  });

  it('generate gives everything before it ends', async () => {
    const { outputs } = await realm.run('generate', { count: 100 }, []);
    expect(outputs.map(({ kind, at }) => (kind === 'audio' ? at : kind))).toEqual([
      ...Array.from({ length: 100 }, (_, at) => at),
      'end',
    ]);
    const [first, second] = outputs;
    expect([first, second]).toMatchObject([
      { samples: Float32Array.of(0) },
      { samples: Float32Array.of(1) },
    ]);
  });

  it('sink takes out what it consumes', async () => {
    const { outputs, events } = await realm.run('sink', {}, [text('a'), make.user('b'), text('c')]);
    expect(brief(outputs)).toEqual(['message b', 'end']);
    expect(events).toMatchObject([
      { type: 'taken', detail: 'a' },
      { type: 'taken', detail: 'c' },
    ]);
  });

  it('defineStage keeps state, and has a last word', async () => {
    const { outputs } = await realm.run('defineStage', {}, [text('a'), make.turnEnd(), text('b')]);
    expect(brief(outputs)).toEqual(['text 1:a', 'turn-end', 'text 2:b', 'text 2 in all', 'end']);
  });

  it('an interrupt gets through to a stage that is waiting, and the next turn goes on', async () => {
    const { outputs, events } = await realm.run(
      'patient',
      {},
      [make.user('one', { turn: 1 }), make.user('two', { turn: 2 })],
      { interrupt: { on: 1 } },
    );
    expect(brief(outputs)).toEqual([
      'transcript waiting',
      'interrupt',
      'message one',
      'message two',
      'end',
    ]);
    expect(events).toMatchObject([{ type: 'interrupted', detail: { turn: 1 } }]);
  });

  it('a consumer that leaves ends the stage', async () => {
    const { outputs, failure, abandoned } = await realm.run(
      'patient',
      {},
      [make.user('one', { turn: 1 }), make.user('two', { turn: 2 })],
      { cancel: 1 },
    );
    expect(brief(outputs)).toEqual(['transcript waiting']);
    expect(failure).toBeUndefined();
    expect(abandoned).toBe(false);
  });

  it('what a stage throws fails the run and names the stage', async () => {
    const { failure } = await realm.run('map', { fails: true }, [text('a')]);
    expect(failure).toMatchObject({
      code: 'stage',
      stage: 'map',
      message: expect.stringMatching(/"map".*no idea/),
    });
  });
}
