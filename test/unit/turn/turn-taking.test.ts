/** Turn-taking on scripted probabilities and reports: where turns begin and end. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Conversation, silence, speech } from './conversation.ts';

describe('turns', () => {
  it('ends a turn after 600 ms of silence', () => {
    const talk = new Conversation().hear([960, speech], [1600, silence]);
    expect(talk.decisions).toEqual(['start 1', 'end 1']);
    expect(talk.at('end 1')).toBe(960 + 608);
  });

  it('says where speech began and ended', () => {
    const talk = new Conversation().hear([320, silence], [960, speech], [1600, silence]);
    expect(talk.log.at(-1)?.decision).toMatchObject({ speechStart: 320, speechEnd: 1280 });
  });

  it('bridges thinking pauses shorter than the delay', () => {
    const talk = new Conversation().hear(
      [640, speech],
      [512, silence],
      [640, speech],
      [512, silence],
    );
    expect(talk.hear([640, speech], [1600, silence]).decisions).toEqual(['start 1', 'end 1']);
  });

  it('calls clicks misfires and skips their numbers', () => {
    const talk = new Conversation().hear(
      [96, speech],
      [800, silence],
      [640, speech],
      [1600, silence],
    );
    expect(talk.decisions).toEqual(['start 1', 'misfire 1', 'start 2', 'end 2']);
  });

  it('does not latch on noise about the threshold that never lasts', () => {
    const flicker = Array.from({ length: 400 }, (_, index) =>
      index % 8 < 2 ? ([32, 0.6] as const) : ([32, 0.2] as const),
    );
    const talk = new Conversation().hear(...flicker).hear([3000, silence]);
    expect(talk.turns.open).toBeUndefined();
  });

  it('does not end while the next word begins faintly, but waits no longer than 300 ms for it', () => {
    const faint = new Conversation().hear([640, speech], [576, silence], [160, 0.2], [640, speech]);
    expect(faint.hear([1600, silence]).decisions).toEqual(['start 1', 'end 1']);
    const noisy = new Conversation().hear([640, speech], [3200, 0.2]);
    expect(noisy.at('end 1')).toBe(640 + 928);
  });

  it('ends a turn of 30 s in the middle of speech and goes on with the next', () => {
    const talk = new Conversation().hear([45_000, speech], [1600, silence]);
    expect(talk.decisions).toEqual([
      'start 1',
      'end 1',
      'start 2',
      'flush 1',
      'interrupt 1',
      'end 2',
    ]);
    expect(talk.at('end 1')).toBe(30_016);
  });

  it('asks a turn detector once a pause and heeds only an answer in time', () => {
    const talk = new Conversation().hear([640, speech], [256, silence]);
    const asked = talk.log.filter(({ decision }) => decision.type === 'consider');
    expect(asked).toHaveLength(1);
    talk.turns.answer(1, 0, 0.9);
    expect(talk.hear([64, silence]).at('end 1')).toBe(960);

    const late = new Conversation().hear(
      [640, speech],
      [256, silence],
      [320, speech],
      [256, silence],
    );
    late.turns.answer(1, 0, 0.9);
    expect(late.hear([64, silence]).at('end 1')).toBeUndefined();
  });

  it('waits longer after it cut someone off', () => {
    const talk = new Conversation().hear(
      [640, speech],
      [960, silence],
      [640, speech],
      [1600, silence],
    );
    const [first, second] = talk.log.filter(({ decision }) => decision.type === 'end');
    expect((first?.at ?? 0) - 640).toBe(608);
    expect((second?.at ?? 0) - 2240).toBeGreaterThan(700);
  });

  it('continues above the numbers the page took', () => {
    const talk = new Conversation().report({ type: 'turn', turn: 7 }).hear([640, speech]);
    expect(talk.decisions[0]).toBe('start 8');
  });
});

describe('the end of the input', () => {
  it('ends a turn that is sure and drops one that is not', () => {
    const sure = new Conversation().hear([640, speech]);
    expect(sure.turns.finish().map(({ type }) => type)).toEqual(['end']);
    const unsure = new Conversation().hear([96, speech]);
    expect(unsure.turns.finish().map(({ type }) => type)).toEqual(['misfire']);
    expect(new Conversation().hear([96, silence]).turns.finish()).toEqual([]);
  });
});

describe('whatever happens', () => {
  const messages = fc.oneof(
    fc.record({
      type: fc.constant('audible' as const),
      turn: fc.integer({ min: 1, max: 5 }),
      at: fc.constant(0),
    }),
    fc.record({
      type: fc.constant('silent' as const),
      turn: fc.integer({ min: 1, max: 5 }),
      at: fc.constant(0),
      finished: fc.boolean(),
    }),
    fc.record({
      type: fc.constant('words' as const),
      turn: fc.integer({ min: 1, max: 5 }),
      text: fc.constantFrom('mhm', 'stop', ''),
      final: fc.boolean(),
      until: fc.constantFrom(0, 2000, Infinity),
    }),
    fc.record({ type: fc.constant('turn' as const), turn: fc.integer({ min: 1, max: 9 }) }),
  );
  const steps = fc.array(
    fc.oneof(
      fc.record({
        ms: fc.integer({ min: 32, max: 1500 }),
        probability: fc.constantFrom(0, 0.2, 0.45, 0.7, 1),
      }),
      messages,
    ),
    { maxLength: 60 },
  );

  it('every start has one end or misfire, numbers rise, and playback is never left paused', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const talk = new Conversation({ wordsExpected: true });
        let spoken: number | undefined;
        let voided = 0;
        let paused = false;
        let done = 0;
        const obey = (): void => {
          for (const { decision } of talk.log.slice(done)) {
            done += 1;
            if (decision.type !== 'floor') continue;
            const { command } = decision;
            if (command.type === 'pause') paused = spoken !== undefined;
            else if (command.type === 'resume') paused = false;
            else if (command.type === 'flush') voided = Math.max(voided, command.turn);
            if (spoken === undefined || spoken > voided) continue;
            spoken = undefined;
            paused = false;
          }
        };
        for (const step of script) {
          if ('ms' in step) talk.hear([step.ms, step.probability]);
          else talk.report(step);
          obey();
          if ('ms' in step || (step.type !== 'audible' && step.type !== 'silent')) continue;
          // A voice ends before another begins.
          if (step.type === 'audible' && step.turn <= voided) continue;
          if (step.type === 'silent' && step.turn !== spoken) continue;
          if (step.type === 'silent' || step.turn !== spoken) paused = false;
          spoken = step.type === 'audible' ? step.turn : undefined;
        }
        talk.hear([6000, 0]);
        obey();
        const started = talk.log.flatMap(({ decision }) =>
          decision.type === 'start' ? [decision.turn] : [],
        );
        const closed = talk.log.flatMap(({ decision }) =>
          decision.type === 'end' || decision.type === 'misfire' ? [decision.turn] : [],
        );
        expect(closed).toEqual(started);
        expect(
          started.every((turn, index) => index === 0 || turn > (started[index - 1] ?? 0)),
        ).toBe(true);
        expect(paused).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});
