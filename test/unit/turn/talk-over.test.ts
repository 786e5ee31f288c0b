/** Talking over the reply, on scripted probabilities and reports: what pauses, what takes the floor, what resumes. */
import { describe, expect, it } from 'vitest';
import {
  answering,
  audible,
  Conversation,
  silence,
  silent,
  speech,
  words,
} from './conversation.ts';

describe('a curt word', () => {
  it('over a reply takes the floor and is a turn', () => {
    const talk = answering().hear([192, speech], [64, silence]).report(words(2, 'stop'));
    expect(talk.hear([1600, silence]).decisions.slice(2)).toEqual([
      'start 2',
      'pause',
      'flush 1',
      'interrupt 1',
      'end 2',
    ]);
  });

  it('takes the floor from a thinking assistant', () => {
    const talk = new Conversation({ wordsExpected: true }).hear([640, speech], [800, silence]);
    talk.hear([192, speech], [64, silence]).report(words(2, 'no')).hear([1600, silence]);
    expect(talk.decisions.slice(2)).toEqual(['start 2', 'flush 1', 'interrupt 1', 'end 2']);
  });

  it('is an answer to a listening one, though it be a back-channel elsewhere', () => {
    const answer = (text: string, ms: number): Conversation =>
      new Conversation({ wordsExpected: true })
        .hear([192, speech], [ms, silence])
        .report(words(1, text))
        .hear([800, silence]);
    expect(answer('yes', 96).decisions).toEqual(['start 1', 'end 1']);
    expect(answer('yes', 384).decisions).toEqual(['start 1', 'end 1']);
    expect(answer('uh', 96).decisions).toEqual(['start 1', 'misfire 1']);
    expect(answer('', 96).decisions).toEqual(['start 1', 'misfire 1']);
  });

  it('is a turn when the input ends behind it', () => {
    const talk = new Conversation({ wordsExpected: true }).hear([192, speech]);
    expect(
      talk
        .report(words(1, 'yes'))
        .turns.finish()
        .map(({ type }) => type),
    ).toEqual(['confirm', 'end']);
  });

  it('is waited for as long as the scribe is at it, within a second', () => {
    const listening = (): Conversation =>
      answering()
        .hear([192, speech])
        .report({ ...words(2, ''), until: 2400 });
    const late = listening().hear([800, silence]);
    expect(late.decisions.slice(2)).toEqual(['start 2', 'pause']);
    late.report({ ...words(2, 'stop'), until: 3000 }).hear([32, silence]);
    expect(late.decisions.slice(-3)).toEqual(['flush 1', 'interrupt 1', 'end 2']);
    const nothing = listening().hear([480, silence]);
    nothing.report({ ...words(2, ''), until: 2700 }).hear([32, silence]);
    expect(nothing.decisions.at(-1)).toBe('misfire 2');
    expect(listening().hear([1056, silence]).decisions.at(-1)).toBe('misfire 2');
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

  it('resumes after 600 ms of silence when there was no word in it', () => {
    const talk = answering().hear([320, speech]);
    talk.report({ ...words(2, ''), until: Infinity }).hear([640, silence]);
    expect(talk.decisions.slice(2)).toEqual(['start 2', 'pause', 'lift', 'resume', 'misfire 2']);
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
    talk.report(audible(1)).hear([448, speech]);
    expect(talk.decisions.slice(2)).toEqual(['start 2', 'pause', 'flush 1', 'interrupt 1']);
  });

  it('lets a reply go on that began under a back-channel', () => {
    const talk = new Conversation({ wordsExpected: true });
    talk.hear([640, speech], [800, silence], [96, speech]).report(audible(1));
    talk.hear([288, speech]).report(words(2, 'mhm')).hear([640, silence]);
    expect(talk.decisions.slice(2)).toEqual(['start 2', 'pause', 'lift', 'resume', 'misfire 2']);
  });

  it('holds what the assistant begins to say while the person speaks, until they are done', () => {
    const talk = new Conversation().hear([640, speech]);
    talk.report({ type: 'turn', turn: 2 }, audible(2)).hear([640, speech], [800, silence]);
    expect(talk.decisions).toEqual(['start 1', 'pause', 'lift', 'resume', 'end 1']);
    const cough = new Conversation().hear([96, speech]);
    cough.report({ type: 'turn', turn: 2 }, audible(2)).hear([480, silence]);
    expect(cough.decisions).toEqual(['start 1', 'pause', 'lift', 'resume', 'misfire 1']);
  });

  it('pauses the next reply too, and leaves none paused that the person did not interrupt', () => {
    const talk = answering().hear([96, speech]);
    talk.report({ type: 'turn', turn: 3 }, silent(1, true), audible(3));
    talk.hear([640, speech], [1600, silence]);
    expect(talk.decisions.slice(2)).toEqual([
      'start 2',
      'pause',
      'pause',
      'flush 1',
      'interrupt 1',
      'lift',
      'resume',
      'end 2',
    ]);
  });

  it('knows which reply is still to come when they come in another order than the turns began', () => {
    const talk = new Conversation().hear([640, speech]).report({ type: 'turn', turn: 2 });
    talk.hear([800, silence]).report(audible(2), silent(2, true));
    expect(talk.turns.floor).toBe('thinking');
    talk.report(audible(1), silent(1, true));
    expect(talk.turns.floor).toBe('listening');
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
