/** The document on custom stages: its blocks are our files, which compile, and each example does what it says. */
import { describe, expect, it } from 'vitest';
import { PipelineBuilder } from '../../../src/index.ts';
import {
  collect,
  describeElements,
  elements,
  fakeClock,
  only,
  runOn,
  runStage,
  silence,
  tone,
} from '../../../src/testing/index.ts';
import { gainInWorker } from './custom-stages/gain-in-worker.ts';
import { gain } from './custom-stages/gain.ts';
import { minutes } from './custom-stages/minutes.ts';
import { oneQuestion } from './custom-stages/one-question.ts';
import { reminders } from './custom-stages/reminders.ts';
import { asPublished, blocksOf, read } from './published.ts';

const document = read('../../../docs/custom-stages.md');
const examples = [
  'gain.ts',
  'one-question.ts',
  'reminders.ts',
  'minutes.ts',
  'look-up.ts',
  'gain.worker.ts',
  'gain-in-worker.ts',
  'look-up.test.ts',
  'conversation.test.ts',
];

describe('the document', () => {
  it('has our examples for blocks, all of them and no others', () => {
    expect(blocksOf(document)).toEqual(
      examples.map((file) => asPublished(`./custom-stages/${file}`)),
    );
  });

  it('names only what antiphon/testing has', async () => {
    const testing = document.slice(document.indexOf('## Testing it'));
    const table = testing.split('\n').filter((line) => line.startsWith('| '));
    const kit: object = await import('../../../src/testing/index.ts');
    const named = table.flatMap((line) => [...line.matchAll(/`(\w+)(?:\(|`)/g)]);
    const names = named.map(([, name = '']) => name).filter((name) => !['verify', 'sleep'].includes(name));
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !(name in kit))).toEqual([]);
  });
});

describe('the examples', () => {
  it('make a microphone louder, within its bounds, and refuse nonsense', async () => {
    const [half, most] = only(
      await runOn(gain({ decibels: 6.02 }), [
        elements().audio(tone(100, { level: 0.25 })),
        elements().audio(tone(100, { level: 0.9 })),
      ]),
      'audio',
    );
    expect(Math.max(...(half?.samples ?? []))).toBeCloseTo(0.5, 2);
    expect(Math.max(...(most?.samples ?? []))).toBe(1);
    expect(() => gain({ decibels: Number.NaN })).toThrow('A gain of NaN dB makes no sense.');
  });

  it('make one question of a turn', async () => {
    const make = elements();
    const { log } = await runStage(oneQuestion(), [
      make.user('what time'),
      ...make.asks('is it'),
      ...make.asks('thanks'),
    ]);
    expect(log.split('\n').slice(0, 4)).toEqual([
      '0 #1 message user "what time is it"',
      '0 #1 turn-end',
      '0 #2 message user "thanks"',
      '0 #2 turn-end',
    ]);
  });

  it('remind by the clock, until they are left', async () => {
    const clock = fakeClock();
    const run = new PipelineBuilder({ clock, idleTimeoutMs: 0 })
      .chain(reminders('Drink something.', 60_000))
      .build()
      .execute();
    const collecting = collect(run, { limit: 2 });
    await clock.advance(120_000);
    expect(describeElements(await collecting)).toBe(
      '60000 #0 text "Drink something."\n120000 #0 text "Drink something."',
    );
    await run.done;
    expect(clock.sleeping).toBe(0);
  });

  it('keep the minutes of what was said for good, one after the other', async () => {
    const lines: string[] = [];
    const make = elements({ at: 40 });
    const outputs = await runOn(
      minutes(async (line) => {
        await Promise.resolve();
        lines.push(line);
      }),
      [
        make.transcript('hel', { final: false }),
        make.transcript('hello'),
        make.audio(silence(32)),
        make.transcript('bye'),
      ],
    );
    expect(lines).toEqual(['40 hello', '72 bye']);
    expect(outputs.map(({ kind }) => kind)).toEqual(['audio']);
  });

  it('draw the stage of a worker in a thread of its own', () => {
    const { graph } = new PipelineBuilder().chain(gainInWorker({ decibels: 6 })).build();
    expect(graph.nodes).toMatchObject([{ name: 'gain', thread: 'gain' }]);
  });
});
