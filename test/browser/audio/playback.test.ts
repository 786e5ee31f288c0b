import { afterEach, describe, expect, it } from 'vitest';
import { element, textMessage } from '../../../src/core/element.ts';
import { SpeakerStage } from '../../../src/stages/streaming/speaker-stage.ts';
import { testContext } from '../../../src/testing/stage-context.ts';
import {
  block,
  distinct,
  FarPort,
  indexOfSound,
  openRig,
  openSpeaker,
  playInto,
  sine,
  speech,
  type Rig,
} from './rig.ts';

const rate = 48_000;
const tenMs = 480;
let rig: Rig;
afterEach(() => rig.close());

const sounding = (samples: Float32Array) => samples.filter((sample) => sample !== 0);

describe('the speaker', () => {
  it('renders exactly the samples queued and then lets the message out', async () => {
    rig = await openRig(rate);
    const { input, output } = await openSpeaker(rig);
    const chunks = [distinct(10_000), distinct(1), distinct(7_777)];
    const expected = chunks.flatMap((chunk) => [...chunk]);
    const text = ['One ', 'two ', 'three.'];
    chunks.forEach((chunk, i) =>
      input.send(speech(chunk, rate, { text: text[i] ?? '', last: i === 2 })),
    );
    input.send(element('message', { message: textMessage('assistant', text.join('')), turn: 1 }));
    await rig.condition.until(() => output.elements.length === 1);
    await rig.advance(1_024);
    const recorded = rig.recorded();
    const start = indexOfSound(recorded);
    expect([...recorded.subarray(start, start + expected.length)]).toEqual(expected);
    expect(sounding(recorded)).toHaveLength(expected.length);
    expect(output.elements).toMatchObject([
      { message: { heard: 'One two three.', queued: 'One two three.' } },
    ]);
  });

  it('pauses within one quantum and 10 ms, and goes on from the same sample', async () => {
    rig = await openRig(rate);
    const { input } = await openSpeaker(rig);
    const floor = rig.edge.floorPort();
    const clip = distinct(rate);
    input.send(speech(clip.slice(), rate));
    await rig.condition.until(() => indexOfSound(rig.recorded()) >= 0);
    floor.postMessage({ type: 'pause' });
    await rig.advance(rate / 2);
    floor.postMessage({ type: 'resume' });
    await rig.condition.until(() => sounding(rig.recorded()).length >= clip.length);
    await rig.advance(1_024);
    const recorded = rig.recorded();
    const start = indexOfSound(recorded);
    const gap = recorded.findIndex((sample, i) => i > start && sample === 0);
    const resumed = recorded.findIndex((sample, i) => i > gap && sample !== 0);
    const heard = [
      ...recorded.subarray(start, gap),
      ...recorded.subarray(resumed, resumed + clip.length - (gap - start)),
    ];
    expect(heard).toHaveLength(clip.length);
    const altered = heard.flatMap((sample, i) => (sample === clip[i] ? [] : [i]));
    const cut = gap - start;
    expect(altered.length).toBeGreaterThan(0);
    expect(altered.every((i) => i > cut - tenMs && i < cut + tenMs)).toBe(true);
    expect(heard.every((sample, i) => sample <= (clip[i] ?? 0) && sample > 0)).toBe(true);
  });

  it('is silent 10 ms after an interrupt, keeps what was heard to the word, and plays the next turn', async () => {
    rig = await openRig(rate);
    const { input, output } = await openSpeaker(rig);
    const words: string[] = [];
    rig.edge.on('heard', ({ text }) => {
      words.push(text);
      rig.condition.changed();
    });
    const reply = Array.from({ length: 20 }, (_, i) => `word${i} `);
    const marks = reply.map((text, i) => ({ text, offset: i * 9_600 }));
    const text = reply.join('');
    input.send(speech(distinct(20 * 9_600), rate, { text, marks }));
    const message = textMessage('assistant', text, { generated: text });
    input.send(element('message', { message, turn: 1 }));
    await rig.condition.until(() => words.length === 3);
    input.post({ type: 'interrupt', value: element('interrupt', { turn: 1 }) });
    await rig.condition.until(() => output.elements.length === 1);
    expect(output.received[0]).toMatchObject({ type: 'interrupt' });
    await rig.advance(2 * tenMs);
    const [left] = output.elements;
    const heard = left?.kind === 'message' ? (left.message.heard ?? '') : '';
    const played = sounding(rig.recorded()).length;
    const whole = reply.slice(0, Math.floor((played - tenMs) / 9_600)).join('');
    const withFade = reply.slice(0, Math.floor(played / 9_600)).join('');
    expect([whole, withFade]).toContain(heard);
    expect(heard).toBe(words.join(''));
    expect(text.startsWith(heard)).toBe(true);
    const answer = distinct(4_800);
    input.send(speech(answer.slice(), rate, { turn: 2 }));
    await rig.condition.until(() => sounding(rig.recorded()).length === played + answer.length);
    expect([...sounding(rig.recorded()).subarray(played)]).toEqual([...answer]);
  });

  it('tells an underrun with its exact gap', async () => {
    rig = await openRig(rate);
    const { input } = await openSpeaker(rig);
    const gaps: number[] = [];
    rig.edge.on('underrun', ({ gapMs }) => {
      gaps.push(gapMs);
      rig.condition.changed();
    });
    input.send(speech(distinct(2_000), rate, { last: false }));
    await rig.condition.until(() => sounding(rig.recorded()).length === 2_000);
    await rig.advance(4_800);
    input.send(speech(distinct(2_000), rate));
    await rig.condition.until(() => sounding(rig.recorded()).length === 4_000);
    await rig.condition.until(() => gaps.length === 1);
    const recorded = rig.recorded();
    const start = indexOfSound(recorded);
    const gap = recorded.findIndex((sample, i) => i > start && sample === 0);
    const resumed = recorded.findIndex((sample, i) => i > gap && sample !== 0);
    expect(gaps[0]).toBeCloseTo(((resumed - gap) * 1000) / rate, 6);
  });

  it('ducks in the worklet when the person talks over it while the page is blocked', async () => {
    rig = await openRig(rate);
    const { input } = await openSpeaker(rig);
    const microphone = new FarPort(rig.condition, 10_000);
    await rig.edge.openMicrophone(microphone.near);
    const floor = rig.edge.floorPort();
    let ducked = 0;
    floor.onmessage = ({ data }) => {
      if (data.type === 'ducked') ducked += 1;
      rig.condition.changed();
    };
    // 375 Hz has one period a quantum, so that each quantum tells the gain.
    input.send(speech(sine(375, rate, 6, 0.2), rate));
    await rig.condition.until(() => indexOfSound(rig.recorded()) >= 0);
    const spoken = playInto(rig, rig.microphone, sine(200, rate, 1, 0.3), 1);
    const blockStart = rig.context.currentTime * rate;
    block(3_000);
    const blockEnd = rig.context.currentTime * rate;
    await rig.reach(spoken + rate);
    const recorded = rig.recorded();
    const gainAt = (frame: number) => {
      const from = frame - rig.firstFrame();
      const quantum = recorded.subarray(from, from + 128);
      return Math.sqrt((2 * quantum.reduce((sum, sample) => sum + sample ** 2, 0)) / 128) / 0.2;
    };
    const first = Math.ceil(spoken / 128) * 128;
    for (let frame = first - 9_600; frame < first; frame += 128)
      expect(gainAt(frame)).toBeCloseTo(1, 2);
    let quiet = first;
    while (quiet < first + rate && gainAt(quiet) > 0.26) quiet += 128;
    const ms = ((quiet - spoken) * 1000) / rate;
    console.info(
      `from the first sample spoken to a voice 12 dB lower, page blocked: ${ms.toFixed(1)} ms`,
    );
    expect(ms).toBeLessThan(150);
    expect(spoken).toBeGreaterThan(blockStart);
    expect(quiet).toBeLessThan(blockEnd);
    await rig.condition.until(() => ducked > 0);
    expect(ducked).toBe(1);
  });

  it('refuses speech of another rate and goes on', async () => {
    rig = await openRig(rate);
    const { input, output } = await openSpeaker(rig);
    input.send(speech(distinct(1_000), 16_000));
    const clip = distinct(1_000);
    input.send(speech(clip.slice(), rate, { turn: 2 }));
    await rig.condition.until(() => sounding(rig.recorded()).length === 1_000);
    expect([...sounding(rig.recorded())]).toEqual([...clip]);
    expect(output.elements).toMatchObject([{ kind: 'error', error: { code: 'audio-format' } }]);
  });

  it('is a stage: what was said comes back as heard', async () => {
    rig = await openRig(rate);
    const stage = new SpeakerStage(rig.edge);
    const input = (async function* () {
      yield speech(distinct(4_800), rate, { text: 'Hello.' });
      yield element('message', { message: textMessage('assistant', 'Hello.'), turn: 1 });
    })();
    const passed = [];
    for await (const output of stage.process(input, testContext())) passed.push(output);
    expect(passed).toMatchObject([{ kind: 'message', message: { heard: 'Hello.' } }]);
    await rig.advance(256);
    expect(sounding(rig.recorded())).toHaveLength(4_800);
  });
});
