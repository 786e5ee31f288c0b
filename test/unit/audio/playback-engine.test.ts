import { afterEach, describe, expect, it } from 'vitest';
import { PlaybackEngine, playbackWindow } from '../../../src/audio/playback-engine.ts';
import type { PlaybackReport } from '../../../src/audio/edge-messages.ts';
import type { FloorMessage } from '../../../src/audio/floor.ts';
import { sharedFloor } from '../../../src/audio/shared-floor.ts';
import {
  element,
  textMessage,
  type SpeechElement,
  type StreamElement,
} from '../../../src/core/element.ts';
import { isElement } from '../../../src/core/port/protocol.ts';
import { settle } from '../../../src/testing/index.ts';
import { creditOf, elementsOf, FarEnd, kindOf } from './ports.ts';

const rate = 16_000;
const quantum = 128;
const opened: { close(): void }[] = [];
let sessions = 0;

afterEach(() => {
  for (const end of opened.splice(0)) end.close();
});

function makeEngine() {
  const session = `playback-${(sessions += 1)}`;
  const reports: PlaybackReport[] = [];
  const report = (message: PlaybackReport) => reports.push(structuredClone(message));
  const engine = new PlaybackEngine({ session, sampleRate: rate, report });
  const floor = sharedFloor(session, rate);
  const input = new FarEnd();
  const output = new FarEnd();
  opened.push(input, output);
  engine.command({ type: 'open', id: 1, input: input.port, output: output.port });
  output.send({ type: 'credit', count: 32 });
  let frame = 0;
  const play = async (quanta: number) => {
    await settle();
    const rendered: number[] = [];
    for (let i = 0; i < quanta; i++) {
      const block = new Float32Array(quantum);
      engine.process(block, frame, 50_000 + frame / 16);
      frame += quantum;
      rendered.push(...block);
    }
    await settle();
    return rendered;
  };
  const say = (value: StreamElement) => input.send(value);
  const of = <T extends PlaybackReport['type']>(type: T) =>
    reports.filter((r): r is Extract<PlaybackReport, { type: T }> => r.type === type);
  return { engine, floor, input, output, reports, play, say, of };
}

const speech = (length: number, facts: Partial<SpeechElement> = {}) =>
  element('speech', {
    samples: new Float32Array(length).fill(0.25),
    sampleRate: rate,
    text: 'One two.',
    marks: [
      { text: 'One ', offset: 0 },
      { text: 'two.', offset: length / 2 },
    ],
    last: true,
    turn: 1,
    ...facts,
  });

const reply = (turn: number) =>
  element('message', {
    message: textMessage('assistant', 'One two.', { generated: 'One two.' }),
    turn,
  });

describe('PlaybackEngine', () => {
  it('plays speech, tells what was heard, and lets the completed message out when it was played', async () => {
    const { say, play, output, of } = makeEngine();
    say(speech(1_024));
    say(reply(1));
    const rendered = await play(7);
    expect(elementsOf(output)).toEqual([]);
    rendered.push(...(await play(2)));
    expect(rendered.slice(0, 1_024).every((sample) => sample === 0.25)).toBe(true);
    expect(rendered.slice(1_024).every((sample) => sample === 0)).toBe(true);
    expect(of('heard').map(({ heard, at }) => [heard, at])).toEqual([
      ['One ', 32],
      ['One two.', 64],
    ]);
    expect(of('audible')).toEqual([{ type: 'audible', turn: 1, at: 0 }]);
    expect(of('silent')).toEqual([{ type: 'silent', turn: 1, at: 64, finished: true }]);
    expect(elementsOf(output)).toMatchObject([
      { kind: 'message', message: { heard: 'One two.', queued: 'One two.' } },
    ]);
  });

  it('cuts at once on an interrupt, sends it on first, and keeps what was heard', async () => {
    const { say, play, input, output, of } = makeEngine();
    say(speech(1_024));
    say(reply(1));
    await play(5);
    input.send({ type: 'interrupt', value: element('interrupt', { turn: 1 }) });
    const after = await play(4);
    expect(after.slice(160).every((sample) => sample === 0)).toBe(true);
    expect(output.received.map(kindOf)).toEqual(['interrupt', 'message']);
    expect(elementsOf(output)).toMatchObject([
      { message: { heard: 'One ', queued: 'One two.', generated: 'One two.' } },
    ]);
    expect(of('silent')).toMatchObject([{ turn: 1, finished: false }]);
  });

  it('sends one interrupt on, however often it comes', async () => {
    const { input, output } = makeEngine();
    for (const turn of [2, 2, 1, 3])
      input.send({ type: 'interrupt', value: element('interrupt', { turn }) });
    await settle();
    expect(
      output.received.map((m) => (!isElement(m) && m.type === 'interrupt' ? m.value.turn : 0)),
    ).toEqual([2, 3]);
  });

  it('tells the floor, once per flush, how many samples of which turn were heard', async () => {
    const { engine, say, play, input } = makeEngine();
    const ears = new FarEnd<FloorMessage>();
    opened.push(ears);
    engine.command({ type: 'floor', port: ears.port });
    ears.send({ type: 'flush', turn: 1 });
    say(speech(512, { turn: 2, last: false }));
    say(speech(5120, { turn: 2 }));
    await play(7);
    ears.send({ type: 'flush', turn: 2 });
    input.send({ type: 'interrupt', value: element('interrupt', { turn: 2 }) });
    await play(4);
    say(speech(256, { turn: 4 }));
    await play(3);
    input.send({ type: 'interrupt', value: element('interrupt', { turn: 5 }) });
    await play(1);
    expect(ears.received.filter(({ type }) => type === 'flushed')).toEqual([
      { type: 'flushed', turn: 1, at: expect.any(Number), spoken: { turn: 0, samples: 0 } },
      {
        type: 'flushed',
        turn: 2,
        at: expect.any(Number),
        spoken: { turn: 2, samples: 7 * quantum },
      },
      { type: 'flushed', turn: 5, at: expect.any(Number), spoken: { turn: 4, samples: 256 } },
    ]);
  });

  it('obeys the floor and tells it who is heard', async () => {
    const { engine, say, play, floor } = makeEngine();
    const ears = new FarEnd<FloorMessage>();
    opened.push(ears);
    engine.command({ type: 'floor', port: ears.port });
    say(speech(16_000));
    await play(2);
    ears.send({ type: 'duck' });
    expect((await play(2)).at(-1)).toBeCloseTo(0.25 * 0.25, 6);
    ears.send({ type: 'lift' });
    expect((await play(4)).at(-1)).toBe(0.25);
    expect(floor.lifts).toBe(1);
    ears.send({ type: 'pause' });
    expect((await play(4)).slice(-300).every((sample) => sample === 0)).toBe(true);
    ears.send({ type: 'resume' });
    expect((await play(4)).at(-1)).toBe(0.25);
    ears.send({ type: 'flush', turn: 1 });
    await play(2);
    expect(ears.received.map(({ type }) => type)).toEqual(['audible', 'silent', 'flushed']);
  });

  it('ducks in the very quantum in which the gate is open, and tells ears once', async () => {
    const { engine, say, play, floor } = makeEngine();
    const ears = new FarEnd<FloorMessage>();
    opened.push(ears);
    engine.command({ type: 'floor', port: ears.port });
    say(speech(16_000));
    await play(2);
    floor.gateOpen = true;
    const block = await play(1);
    expect(block.at(-1)).toBeCloseTo(0.0625, 3);
    await play(2);
    floor.gateOpen = false;
    expect((await play(3)).at(-1)).toBe(0.25);
    expect(ears.received.filter(({ type }) => type === 'ducked')).toHaveLength(1);
  });

  it('is audible to the capture side while it renders and 300 ms longer', async () => {
    const { say, play, floor } = makeEngine();
    say(speech(128));
    await play(1);
    expect(floor.audible).toBe(true);
    expect(floor.playbackLevel).toBeCloseTo(0.25, 3);
    await play(30);
    expect(floor.audible).toBe(true);
    await play(10);
    expect(floor.audible).toBe(false);
    expect(floor.playbackLevel).toBeLessThan(0.2);
  });

  it('plays silence for what is no number, which does not stay in the level', async () => {
    const { say, play, floor } = makeEngine();
    const samples = new Float32Array(256).fill(0.25);
    samples[100] = Number.NaN;
    samples[101] = Infinity;
    say(speech(256, { samples }));
    const played = await play(2);
    expect(played.slice(99, 103)).toEqual([0.25, 0, 0, 0.25]);
    expect(floor.playbackLevel).toBeCloseTo(0.25, 2);
  });

  it('grants a credit for every element that is done with, none before', async () => {
    const { say, play, input } = makeEngine();
    say(speech(256, { last: false }));
    say(speech(256, { last: false }));
    say(element('text', { text: 'an increment', delta: true, turn: 1 }));
    await settle();
    expect(creditOf(input)).toBe(playbackWindow + 1);
    await play(2);
    expect(creditOf(input)).toBe(playbackWindow + 2);
    await play(2);
    expect(creditOf(input)).toBe(playbackWindow + 3);
  });

  it('holds back the credit of what its own reader does not take', async () => {
    const { say, input, output } = makeEngine();
    await settle();
    for (let i = 0; i < 34; i++) say(element('turn-end', { turn: i }));
    await settle();
    expect(elementsOf(output)).toHaveLength(32);
    expect(creditOf(input)).toBe(playbackWindow + 32);
    output.send({ type: 'credit', count: 2 });
    await settle();
    expect(elementsOf(output).map(({ turn }) => turn)).toEqual(
      Array.from({ length: 34 }, (_, i) => i),
    );
  });

  it('refuses speech of another rate, once a turn, in its place', async () => {
    const { say, play, input, output } = makeEngine();
    say(speech(256, { sampleRate: 22_050, last: false }));
    say(speech(256, { sampleRate: 22_050 }));
    say(reply(1));
    const rendered = await play(6);
    expect(rendered.every((sample) => sample === 0)).toBe(true);
    expect(elementsOf(output)).toMatchObject([
      { kind: 'error', turn: 1, error: { code: 'audio-format' } },
      { kind: 'message', message: { heard: '' } },
    ]);
    expect(creditOf(input)).toBe(playbackWindow + 3);
  });

  it('closes its output after the last sample when its input has closed, paused or not', async () => {
    const { engine, say, play, input, output, of } = makeEngine();
    const ears = new FarEnd();
    opened.push(ears);
    engine.command({ type: 'floor', port: ears.port });
    say(speech(1_024));
    await play(1);
    ears.send({ type: 'pause' });
    await play(4);
    input.send({ type: 'close' });
    await play(2);
    expect(output.received.map(kindOf).includes('close')).toBe(false);
    await play(8);
    expect(output.received.at(-1)).toEqual({ type: 'close' });
    expect(of('shut')).toEqual([{ type: 'shut', id: 1, rendered: 1_024 }]);
  });

  it('passes a failure on and stops playing', async () => {
    const { say, play, input, output, of } = makeEngine();
    const error = { code: 'stage', message: 'broken', hint: '', retryable: false } as const;
    say(speech(4_096));
    await play(2);
    input.send({ type: 'error', error });
    const rendered = await play(4);
    expect(rendered.slice(160).every((sample) => sample === 0)).toBe(true);
    expect(output.received.at(-1)).toEqual({ type: 'error', error });
    expect(of('shut')).toMatchObject([{ error }]);
  });

  it('tells its writer when nobody reads any more', async () => {
    const { say, play, input, output, of } = makeEngine();
    say(speech(4_096));
    await play(1);
    output.send({ type: 'cancel', reason: 'left' });
    await play(2);
    expect(input.received.at(-1)).toMatchObject({ type: 'cancel' });
    expect(of('shut')).toHaveLength(1);
  });

  it('tells late speech with its gap', async () => {
    const { say, play, of } = makeEngine();
    say(speech(128, { last: false }));
    await play(11);
    say(speech(128));
    await play(1);
    expect(of('underrun')).toMatchObject([{ turn: 1, gapMs: 80, total: 1 }]);
  });

  it('tells the wall-clock time of the clock once it runs', async () => {
    const { say, play, of, reports } = makeEngine();
    await play(4);
    expect(of('clock')).toEqual([]);
    say(speech(128));
    await play(1);
    expect(of('clock')).toHaveLength(1);
    expect(reports.map(({ type }) => type).slice(0, 2)).toEqual(['clock', 'audible']);
  });

  it('ends the processor when told to stop', () => {
    const { engine } = makeEngine();
    expect(engine.process(new Float32Array(quantum), 0, 0)).toBe(true);
    engine.command({ type: 'stop' });
    expect(engine.process(new Float32Array(quantum), 0, 0)).toBe(false);
  });
});
