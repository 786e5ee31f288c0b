import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duckGain, PlaybackQueue } from '../../../src/audio/playback-queue.ts';
import {
  element,
  textMessage,
  type SpeechElement,
  type WordMark,
} from '../../../src/core/element.ts';

const rate = 48_000;
const fade = 480;
const quantum = 128;

type Log =
  | ['audible' | 'passed' | 'spent', number | string, number]
  | ['silent', number, number, boolean]
  | ['heard', string, number]
  | ['underrun', number, number];

/** A queue, its log with absolute sample positions, and what it rendered. */
function makeQueue() {
  const log: Log[] = [];
  const output: number[] = [];
  let frame = 0;
  const queue = new PlaybackQueue(rate, {
    audible: (turn, offset) => log.push(['audible', turn, frame + offset]),
    silent: (turn, offset, finished) => log.push(['silent', turn, frame + offset, finished]),
    heard: (_turn, text, offset) => log.push(['heard', text, frame + offset]),
    underrun: (turn, samples) => log.push(['underrun', turn, samples]),
    passed: (passed) => log.push(['passed', passed.kind, frame]),
    spent: (spent) => log.push(['spent', spent.kind, frame]),
  });
  const render = (length: number) => {
    const block = new Float32Array(length).fill(9);
    queue.render(block);
    for (const sample of block) output.push(sample);
    frame += length;
    return block;
  };
  const of = (kind: Log[0]) => log.filter(([name]) => name === kind);
  return { queue, log, output, render, of };
}

let next = 0;
/** Speech whose samples are all different, so that a lost, doubled or moved one shows. */
function speech(length: number, facts: Partial<SpeechElement> = {}): SpeechElement {
  const samples = Float32Array.from(
    { length },
    () => ((next = (next * 7919 + 17) % 1_000), 0.1 + next / 1_250),
  );
  return element('speech', { samples, sampleRate: rate, text: '', last: false, turn: 1, ...facts });
}

const marks = (...offsets: [string, number][]): WordMark[] =>
  offsets.map(([text, offset]) => ({ text, offset }));

describe('PlaybackQueue', () => {
  it('renders exactly the samples it was given, whatever the chunks and blocks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(700), { minLength: 1, maxLength: 10 }),
        fc.integer({ min: 1, max: 300 }),
        (lengths, block) => {
          const { queue, output, render } = makeQueue();
          const chunks = lengths.map((length) => speech(length));
          for (const chunk of chunks) queue.push(chunk);
          const expected = chunks.flatMap((chunk) => [...chunk.samples]);
          while (output.length < expected.length + block) render(block);
          expect(output.slice(0, expected.length)).toEqual(expected);
          expect(output.slice(expected.length).every((sample) => sample === 0)).toBe(true);
          expect(queue.rendered).toBe(expected.length);
          expect(queue.length).toBe(0);
        },
      ),
    );
  });

  it('tells when a turn is first and last heard, to the sample', () => {
    const { queue, render, of } = makeQueue();
    render(quantum);
    queue.push(speech(200, { last: false }));
    queue.push(speech(300, { last: true }));
    for (let i = 0; i < 6; i++) render(quantum);
    expect(of('audible')).toEqual([['audible', 1, 128]]);
    expect(of('silent')).toEqual([['silent', 1, 628, true]]);
  });

  it('fades out within 10 ms of a pause, holds, and goes on from the same sample', () => {
    const { queue, output, render } = makeQueue();
    const chunk = speech(4_000, { last: true });
    queue.push(chunk);
    render(quantum);
    queue.pause();
    for (let i = 0; i < 10; i++) render(quantum);
    const stopped = queue.rendered;
    expect(stopped).toBeGreaterThan(quantum);
    expect(stopped).toBeLessThan(quantum + fade);
    expect(output.slice(quantum + fade).every((sample) => sample === 0)).toBe(true);
    const gains = output
      .slice(quantum, stopped)
      .map((sample, i) => sample / (chunk.samples[quantum + i] ?? 1));
    gains.reduce((before, gain) => (expect(gain).toBeLessThan(before), gain), 1.0001);
    queue.resume();
    const from = output.length;
    while (queue.length > 0) render(quantum);
    expect(queue.rendered).toBe(4_000);
    const expected = [...chunk.samples.subarray(stopped)];
    const resumed = output.slice(from, from + expected.length);
    expect(resumed.slice(fade)).toEqual(expected.slice(fade));
    expect(resumed[0]).toBeGreaterThan(0);
    expect(resumed[0]).toBeLessThan(0.01);
  });

  it('loses and repeats no sample over any series of pauses, resumes and ducks', () => {
    const action = fc.constantFrom('pause', 'resume', 'duck', 'lift', 'render');
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const { queue, output, render } = makeQueue();
        const chunk = speech(3_000);
        queue.push(chunk);
        for (const name of actions) {
          if (name === 'pause') queue.pause();
          else if (name === 'resume') queue.resume();
          else if (name === 'render') render(quantum);
          else queue.duck(name === 'duck');
        }
        queue.resume();
        queue.duck(false);
        while (queue.length > 0) render(quantum);
        expect(queue.rendered).toBe(3_000);
        const heard = output.filter((sample) => sample !== 0);
        expect(heard.length).toBe(3_000);
        const gains = heard.map((sample, i) => sample / (chunk.samples[i] ?? 1));
        expect(gains.every((gain) => gain > 0 && gain < 1.0001)).toBe(true);
      }),
    );
  });

  it('ducks by 12 dB within one quantum and rises again within 10 ms', () => {
    const { queue, render } = makeQueue();
    const chunk = speech(4_000);
    queue.push(chunk);
    render(quantum);
    queue.duck(true);
    render(quantum);
    const ducked = render(quantum);
    ducked.forEach((sample, i) =>
      expect(sample).toBeCloseTo((chunk.samples[256 + i] ?? 0) * duckGain, 6),
    );
    queue.duck(false);
    for (let i = 0; i < 4; i++) render(quantum);
    expect(render(quantum)).toEqual(chunk.samples.slice(896, 1_024));
  });

  it('flushes with a fade of 10 ms, then plays the next turn in full', () => {
    const { queue, output, render, of } = makeQueue();
    const old = speech(4_000);
    queue.push(old);
    queue.push(speech(4_000, { last: true }));
    render(quantum);
    queue.flush(1);
    expect(queue.length).toBe(0);
    expect(queue.rendered).toBe(quantum);
    const answer = speech(1_000, { turn: 2, last: true });
    queue.push(answer);
    for (let i = 0; i < 15; i++) render(quantum);
    const tail = output.slice(quantum, quantum + fade);
    tail.forEach((sample, i) => expect(sample).toBeLessThanOrEqual(old.samples[quantum + i] ?? 0));
    expect(tail.at(-1)).toBeCloseTo(0, 6);
    expect(output.slice(quantum + fade, quantum + fade + 1_000)).toEqual([...answer.samples]);
    expect(of('silent')[0]).toEqual(['silent', 1, quantum + fade, false]);
    expect(of('spent')).toHaveLength(3);
  });

  it('voids speech of a flushed turn that comes later, and what else is interruptible', () => {
    const { queue, log } = makeQueue();
    queue.flush(3);
    queue.push(speech(100, { turn: 3 }));
    queue.push(element('text', { text: 'late', delta: false, turn: 2 }));
    queue.push(element('message', { message: textMessage('assistant', 'x'), turn: 3 }));
    queue.push(element('turn-end', { turn: 3 }));
    expect(log.map(([what, kind]) => [what, kind])).toEqual([
      ['spent', 'speech'],
      ['spent', 'text'],
      ['passed', 'message'],
      ['passed', 'turn-end'],
    ]);
  });

  it('leaves a later turn alone when an earlier one is flushed', () => {
    const { queue, output, render } = makeQueue();
    const answer = speech(500, { turn: 5 });
    queue.push(answer);
    render(quantum);
    queue.flush(4);
    for (let i = 0; i < 4; i++) render(quantum);
    expect(output.slice(0, 500)).toEqual([...answer.samples]);
  });

  it('ends a pause with the turn it was about', () => {
    const { queue, render } = makeQueue();
    queue.push(speech(500));
    render(quantum);
    queue.pause();
    expect(queue.paused).toBe(true);
    queue.flush(1);
    expect(queue.paused).toBe(false);
    queue.push(speech(quantum, { turn: 2 }));
    for (let i = 0; i < 5; i++) render(quantum);
    queue.pause();
    render(quantum);
    expect(queue.paused).toBe(true);
    queue.push(speech(0, { turn: 2, last: true }));
    render(quantum);
    expect(queue.paused).toBe(false);
  });

  it('has nothing to pause while no turn is being spoken, so that the next one is not held', () => {
    const { queue, output, render } = makeQueue();
    queue.pause();
    const chunk = speech(quantum);
    queue.push(chunk);
    render(quantum);
    expect(output).toEqual([...chunk.samples]);
  });

  it('lets other elements through in order when rendering reaches them, at once when nothing waits', () => {
    const { queue, log, render } = makeQueue();
    queue.push(element('turn-end', { turn: 1 }));
    expect(log).toEqual([['passed', 'turn-end', 0]]);
    queue.push(speech(200, { last: true }));
    queue.push(element('message', { message: textMessage('assistant', 'x'), turn: 1 }));
    queue.push(element('speech-start', { turn: 2 }));
    render(quantum);
    expect(log.some(([, kind]) => kind === 'message')).toBe(false);
    render(quantum);
    expect(log.filter(([what]) => what === 'passed').map(([, kind]) => kind)).toEqual([
      'turn-end',
      'message',
      'speech-start',
    ]);
  });

  it('tells a word when its last sample was rendered', () => {
    const { queue, render, of } = makeQueue();
    queue.push(speech(300, { text: 'One two', marks: marks(['One ', 0], ['two', 140]) }));
    queue.push(speech(50, { text: ' three.' }));
    for (let i = 0; i < 3; i++) render(quantum);
    expect(of('heard')).toEqual([
      ['heard', 'One ', 140],
      ['heard', 'two', 300],
      ['heard', ' three.', 350],
    ]);
  });

  it('does not count the word that a flush cut', () => {
    const { queue, render, of } = makeQueue();
    queue.push(speech(400, { text: 'One two', marks: marks(['One ', 0], ['two', 140]) }));
    render(256);
    queue.flush(1);
    render(1_024);
    expect(of('heard')).toEqual([['heard', 'One ', 140]]);
  });

  it('tells marks that lie beyond the samples at the end of the chunk, none twice', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(900), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: 600 }),
        (offsets, length) => {
          const { queue, render, of } = makeQueue();
          const sorted = offsets.toSorted((a, b) => a - b);
          const words = marks(...sorted.map((at, i): [string, number] => [`w${i} `, at]));
          queue.push(
            speech(length, { text: words.map(({ text }) => text).join(''), marks: words }),
          );
          for (let i = 0; i < 6; i++) render(quantum);
          expect(of('heard').map(([, text]) => text)).toEqual(words.map(({ text }) => text));
        },
      ),
    );
  });

  it('counts speech that comes too late inside a turn, with the length of the gap', () => {
    const { queue, render, of } = makeQueue();
    queue.push(speech(100));
    render(quantum);
    render(quantum);
    queue.push(speech(100, { last: true }));
    render(quantum);
    expect(queue.underruns).toBe(1);
    expect(of('underrun')).toEqual([['underrun', 1, 156]]);
    render(quantum);
    queue.push(speech(100, { turn: 2 }));
    render(quantum);
    expect(queue.underruns).toBe(1);
  });

  it('ends a turn without a last chunk when the whole message has passed', () => {
    const { queue, render, of } = makeQueue();
    queue.push(speech(100));
    queue.push(element('message', { message: textMessage('assistant', 'x'), turn: 1 }));
    render(quantum);
    expect(of('silent')).toEqual([['silent', 1, 100, true]]);
  });

  it('stays in the turn when its message asks for a tool', () => {
    const { queue, render, of } = makeQueue();
    queue.push(speech(100));
    const toolCalls = [{ id: 'a', name: 'time', arguments: {} }];
    const message = textMessage('assistant', 'x', { toolCalls });
    queue.push(element('message', { message, turn: 1 }));
    render(quantum);
    expect(of('silent')).toEqual([]);
    expect(queue.audibleTurn).toBe(1);
  });
});
