/** Turn-taking on scripted probabilities and reports. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FloorMessage } from '../../../src/audio/floor.ts';
import {
  type TurnDecision,
  TurnTaking,
  type TurnTakingOptions,
} from '../../../src/speech/turn/turn-taking.ts';
import { frameMs, frames } from './scripted-speech.ts';

/** A conversation played to `TurnTaking`; keeps what it decided and when (end of the frame, ms). */
class Conversation {
  readonly turns: TurnTaking;
  readonly log: { readonly at: number; readonly decision: TurnDecision }[] = [];
  #at = 0;

  constructor(options: TurnTakingOptions = {}) {
    // The first playback is a test of its own.
    this.turns = new TurnTaking({ firstPlaybackMs: 0, ...options });
  }

  hear(...pieces: readonly (readonly [ms: number, probability: number])[]): this {
    for (const probability of frames(...pieces)) {
      const decisions = this.turns.feed({ probability, at: this.#at, durationMs: frameMs });
      this.#at += frameMs;
      for (const decision of decisions) this.log.push({ at: this.#at, decision });
    }
    return this;
  }

  report(...messages: readonly FloorMessage[]): this {
    for (const message of messages) this.turns.report(message);
    return this;
  }

  /** What was decided: types and turns, floor commands by name; without confirmations and questions to a turn detector. */
  get decisions(): string[] {
    return this.log.flatMap(({ decision }) => {
      if (decision.type === 'floor') {
        const { command } = decision;
        return command.type === 'flush' ? `flush ${command.turn}` : command.type;
      }
      if (decision.type === 'confirm' || decision.type === 'consider') return [];
      return `${decision.type} ${decision.turn}`;
    });
  }

  /** When a decision was made, ms. */
  at(what: string): number | undefined {
    const [type, turn] = what.split(' ');
    return this.log.find(({ decision }) => {
      if (decision.type === 'floor') return decision.command.type === type;
      return decision.type === type && (turn === undefined || decision.turn === Number(turn));
    })?.at;
  }
}

const speech = 0.95;
const silence = 0.01;
const audible = (turn: number): FloorMessage => ({ type: 'audible', turn, at: 0 });
const silent = (turn: number, finished: boolean): FloorMessage => ({
  type: 'silent',
  turn,
  at: 0,
  finished,
});
const words = (turn: number, text: string, final = false): FloorMessage => ({
  type: 'words',
  turn,
  text,
  final,
});

/** The person asked, the assistant is answering turn 1. */
const answering = (options: TurnTakingOptions = {}): Conversation =>
  new Conversation({ wordsExpected: true, ...options })
    .hear([640, speech], [800, silence])
    .report(audible(1))
    .hear([960, silence]);

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

describe('talking over the reply', () => {
  it('pauses at the first sign, commits after 500 ms of speech', () => {
    const talk = answering().hear([640, speech]);
    expect(talk.decisions).toEqual([
      'start 1',
      'end 1',
      'start 2',
      'pause',
      'flush 1',
      'interrupt 1',
    ]);
    const start = 640 + 800 + 960;
    expect((talk.at('pause') ?? 0) - start).toBeLessThanOrEqual(96);
    expect((talk.at('interrupt') ?? 0) - start).toBeLessThanOrEqual(512);
  });

  it('commits at once on a word', () => {
    const talk = answering().hear([256, speech]).report(words(2, 'stop')).hear([32, silence]);
    expect(talk.decisions.slice(-2)).toEqual(['flush 1', 'interrupt 1']);
    expect(talk.hear([1600, silence]).decisions.at(-1)).toBe('end 2');
  });

  it('resumes after a back-channel', () => {
    const talk = answering().hear([320, speech]).report(words(2, 'mhm')).hear([640, silence]);
    expect(talk.decisions.slice(2)).toEqual(['start 2', 'pause', 'lift', 'resume', 'misfire 2']);
  });

  it('resumes when it was a cough: too short for speech', () => {
    const talk = answering().hear([128, speech], [480, silence]);
    expect(talk.decisions.slice(2)).toEqual(['start 2', 'pause', 'lift', 'resume', 'misfire 2']);
  });

  it('resumes when nobody understood a word within 2 s', () => {
    const talk = answering().hear([320, speech], [2400, silence]);
    expect(talk.decisions.slice(2)).toEqual(['start 2', 'pause', 'lift', 'resume', 'misfire 2']);
    expect((talk.at('resume') ?? 0) - (talk.at('pause') ?? 0)).toBe(2016);
  });

  it('ignores words about another turn', () => {
    const talk = answering().hear([256, speech]).report(words(1, 'stop it')).hear([64, silence]);
    expect(talk.at('interrupt')).toBeUndefined();
  });

  it('can be interrupted twice close together', () => {
    const talk = answering().hear([640, speech], [800, silence]);
    talk.report(silent(1, false), audible(2)).hear([96, silence], [640, speech], [1600, silence]);
    expect(talk.decisions.filter((what) => /interrupt|flush|end/.test(what))).toEqual([
      'end 1',
      'flush 1',
      'interrupt 1',
      'end 2',
      'flush 2',
      'interrupt 2',
      'end 3',
    ]);
  });

  it('takes the floor from an assistant that is still thinking after 250 ms', () => {
    const talk = new Conversation().hear([640, speech], [800, silence], [256, speech]);
    expect(talk.decisions).toEqual(['start 1', 'end 1', 'start 2', 'flush 1', 'interrupt 1']);
  });

  it('holds a reply that begins while the person goes on, and yields to them', () => {
    const talk = new Conversation().hear([640, speech], [800, silence], [96, speech]);
    talk.report(audible(1)).hear([192, speech]);
    expect(talk.decisions.slice(2)).toEqual(['start 2', 'pause', 'flush 1', 'interrupt 1']);
  });

  it('interrupts nothing when nothing was understood and no reply comes', () => {
    const talk = new Conversation().hear([640, speech], [800, silence]);
    talk.report(words(1, '', true)).hear([640, speech], [1600, silence]);
    expect(talk.decisions).toEqual(['start 1', 'end 1', 'start 2', 'end 2']);
  });

  it('interrupts nothing after a reply was heard to its end', () => {
    const talk = answering().report(silent(1, true)).hear([640, speech], [1600, silence]);
    expect(talk.decisions).toEqual(['start 1', 'end 1', 'start 2', 'end 2']);
  });

  it('takes what began over the last word of a reply for a turn, without leaving playback paused', () => {
    const talk = answering()
      .hear([128, speech])
      .report(silent(1, true))
      .hear([320, speech], [1600, silence]);
    expect(talk.decisions.slice(2)).toEqual(['start 2', 'pause', 'lift', 'resume', 'end 2']);
  });

  it('is not impressed by faint speech, which may be echo, while it speaks, least of all at first', () => {
    expect(answering().hear([960, 0.6]).decisions).toEqual(['start 1', 'end 1']);
    const first = answering({ firstPlaybackMs: 3000 }).hear([960, 0.75]);
    expect(first.decisions).toEqual(['start 1', 'end 1']);
    expect(first.hear([960, silence], [960, silence], [960, 0.75]).at('interrupt')).toBeDefined();
  });

  it('is never deaf: clear speech interrupts even the first playback', () => {
    expect(answering({ firstPlaybackMs: 3000 }).hear([640, speech]).at('interrupt')).toBeDefined();
  });

  it("lifts the worklet's own duck after 200 ms without speech, and lets speech keep it", () => {
    const noise = answering().report({ type: 'ducked', at: 2400 }).hear([320, silence]);
    expect(noise.decisions.slice(2)).toEqual(['lift']);
    expect(noise.at('lift')).toBe(2400 + 224);
    const talk = answering().report({ type: 'ducked', at: 2400 }).hear([416, speech]);
    expect(talk.decisions.slice(2)).toEqual(['start 2', 'pause']);
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
        for (const step of script)
          if ('ms' in step) talk.hear([step.ms, step.probability]);
          else talk.report(step);
        talk.hear([6000, 0]);
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
        let paused = false;
        for (const { decision } of talk.log)
          if (decision.type === 'floor')
            paused =
              decision.command.type === 'pause' || (paused && decision.command.type === 'lift');
        expect(paused).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});
