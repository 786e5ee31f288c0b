/** Scripted engines: they do what the script says, and object to everything else. */
import { describe, expect, it } from 'vitest';
import { AntiphonError } from '../../../src/core/errors.ts';
import type { ProviderPart, ProviderRequest } from '../../../src/providers/provider.ts';
import { ProviderStage } from '../../../src/stages/conversation/provider-stage.ts';
import { AudioTurnStage } from '../../../src/stages/streaming/audio-turn-stage.ts';
import { STTStage } from '../../../src/stages/streaming/stt-stage.ts';
import {
  collect,
  elements,
  fakeClock,
  gate,
  join,
  levelVad,
  only,
  recognition,
  reply,
  runOn,
  scriptedProvider,
  scriptedRecognizer,
  scriptedSynthesizer,
  scriptedVad,
  silence,
  tone,
  toneSpeech,
  type ScriptedVad,
} from '../../../src/testing/index.ts';

const frame = (value: number): Float32Array => new Float32Array(512).fill(value);
const { signal } = new AbortController();

describe('a scripted detector', () => {
  it('follows its timeline, and wants neither more nor less', async () => {
    const vad = scriptedVad([
      [64, 0.9],
      [32, 0],
    ]);
    expect([await vad.process(frame(0)), await vad.process(frame(1))]).toEqual([0.9, 0.9]);
    expect(() => vad.verify()).toThrow('the detector still expected a frame (0)');
    expect(await vad.process(frame(1))).toBe(0);
    vad.verify();
    await expect(vad.process(frame(0))).rejects.toThrow(
      'the detector expected 3 calls, all of which came, and then was given a frame at 96 ms',
    );
    expect(() => vad.verify()).toThrow('given a frame at 96 ms');
  });

  it('refuses a frame of another size', async () => {
    await expect(scriptedVad().process(new Float32Array(100))).rejects.toMatchObject({
      code: 'expectation',
      message: 'the detector takes 512 samples and got 100',
    });
  });

  it('drives turns by probabilities, or by what is loud', async () => {
    const turns = async (vad: () => ScriptedVad, sound: 'loud' | 'marked'): Promise<number> => {
      const make = elements();
      const input =
        sound === 'marked'
          ? make.probabilities([320, 0], [640, 0.9], [960, 0])
          : make.frames(join(silence(320), tone(640), silence(960)));
      return only(await runOn(new AudioTurnStage({ vad: vad() }), input), 'utterance').length;
    };
    expect(await turns(() => scriptedVad(), 'marked')).toBe(1);
    expect(await turns(() => levelVad(), 'loud')).toBe(1);
    expect(await turns(() => levelVad({ threshold: 0.6 }), 'loud')).toBe(0);
  });

  it('counts what it is asked', async () => {
    const vad = scriptedVad();
    await runOn(new AudioTurnStage({ vad }), elements().probabilities([640, 0]));
    expect([vad.loads, vad.resets, vad.frames]).toEqual([1, 1, 20]);
    const broken = scriptedVad([], { load: () => Promise.reject(new Error('404')) });
    await expect(broken.load()).rejects.toThrow('404');
  });
});

describe('a scripted recogniser', () => {
  const utterance = (ms: number) => elements().utterance(join(silence(100), tone(ms)));

  it('gives its answers in order, words timed from the first loud sample', async () => {
    const recognizer = scriptedRecognizer(['what time', { text: 'is it', wordMs: 50 }]);
    const first = await recognizer.transcribe(utterance(300).samples);
    expect(first.words.map(({ start, end }) => [Math.round(start), Math.round(end)])).toEqual([
      [100, 200],
      [200, 300],
    ]);
    expect((await recognizer.transcribe(utterance(300).samples)).text).toBe('is it');
    recognizer.verify();
  });

  it('objects to an utterance too many, too short, or one that never came', async () => {
    const recognizer = scriptedRecognizer([{ text: 'yes', minMs: 1000 }, 'no']);
    await expect(recognizer.transcribe(utterance(300).samples)).rejects.toThrow(
      'the recogniser expected, as call 1, an utterance of 1000…∞ ms ("yes"), and was given an utterance of 400 ms',
    );
    const fresh = scriptedRecognizer(['yes']);
    expect(() => fresh.verify()).toThrow('the recogniser still expected an utterance ("yes")');
    await fresh.transcribe(utterance(300).samples);
    await expect(fresh.transcribe(utterance(300).samples)).rejects.toThrow(
      'expected one call, all of which came, and then was given an utterance of 400 ms',
    );
  });

  it('remembers an objection that a stage made an error element of', async () => {
    const recognizer = scriptedRecognizer([]);
    const outputs = await runOn(new STTStage({ recognizer }), [utterance(300)]);
    expect(only(outputs, 'error')).toHaveLength(1);
    expect(() => recognizer.verify()).toThrow('given an utterance');
  });

  it('hears words as their audio arrives, and lets a misfire go', async () => {
    const recognizer = scriptedRecognizer([{ text: 'mhm', misfire: true }, 'stop it now']);
    const cough = recognizer.stream?.();
    cough?.push(tone(150).samples);
    expect((await cough?.partial())?.text).toBe('mhm');
    cough?.close();
    const stream = recognizer.stream?.();
    stream?.push(silence(500).samples);
    expect((await stream?.partial())?.text).toBe('');
    stream?.push(tone(210).samples);
    expect((await stream?.partial())?.text).toBe('stop it');
    expect((await recognizer.transcribe(utterance(300).samples)).text).toBe('stop it now');
    recognizer.verify();
    expect(recognizer.streams.map(({ closed, attempts }) => [closed, attempts])).toEqual([
      [true, 1],
      [false, 2],
    ]);
  });

  it('can be answered by hand', async () => {
    const recognizer = scriptedRecognizer(['final'], { interims: 'by-hand' });
    const stream = recognizer.stream?.();
    const [view] = recognizer.streams;
    expect(() => view?.answer(recognition('x'))).toThrow('none waits');
    const partial = stream?.partial();
    view?.answer(recognition('so far'));
    expect((await partial)?.text).toBe('so far');
    const failing = stream?.partial();
    view?.answer(new Error('broken'));
    await expect(failing).rejects.toThrow('broken');
    expect(scriptedRecognizer([], { interims: 'none' }).stream).toBeUndefined();
  });

  it('takes its time by a clock, waits at a gate, and is cancelled', async () => {
    const clock = fakeClock();
    const held = gate();
    const recognizer = scriptedRecognizer(
      [{ text: 'late', delayMs: 200 }, { text: 'held', gate: held }, new Error('no')],
      { clock },
    );
    const late = recognizer.transcribe(utterance(1).samples);
    await clock.advance(200);
    expect((await late).text).toBe('late');
    const over = new AbortController();
    const waiting = recognizer.transcribe(utterance(1).samples, { signal: over.signal });
    await held.reached;
    over.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    await expect(recognizer.transcribe(utterance(1).samples)).rejects.toThrow('no');
  });
});

describe('a scripted voice', () => {
  it('speaks every text as tones, a word every 200 ms', async () => {
    const voice = scriptedSynthesizer();
    const { samples, sampleRate, marks } = await voice.synthesize('It is noon. ');
    expect([samples.length, sampleRate]).toEqual([9600, 16_000]);
    expect(marks).toEqual([
      { text: 'It ', offset: 0 },
      { text: 'is ', offset: 3200 },
      { text: 'noon. ', offset: 6400 },
    ]);
    expect(await voice.synthesize('It is noon. ')).toEqual(await voice.synthesize('It is noon. '));
    expect(toneSpeech('  ').samples).toHaveLength(0);
  });

  it('speaks what its list says and nothing else', async () => {
    const voice = scriptedSynthesizer([
      'One. ',
      /^Two/,
      { text: 'Three', error: new Error('hoarse') },
    ]);
    await voice.synthesize('One. ');
    await voice.synthesize('Two and a half');
    await expect(voice.synthesize('Three')).rejects.toThrow('hoarse');
    voice.verify();
    await expect(voice.synthesize('Four')).rejects.toThrow(
      'the voice expected 3 calls, all of which came, and then was to speak "Four"',
    );
    const other = scriptedSynthesizer(['One. ', 'Two.']);
    await expect(other.synthesize('Two.')).rejects.toThrow(
      'the voice expected, as call 1, to speak "One. ", and was to speak "Two."',
    );
    const unmet = scriptedSynthesizer(['One. ', /two/]);
    expect(() => unmet.verify()).toThrow(
      'the voice still expected to speak "One. "; to speak /two/',
    );
  });

  it('can be cancelled while it takes its time', async () => {
    const clock = fakeClock();
    const voice = scriptedSynthesizer([{ delayMs: 500 }], { clock });
    const over = new AbortController();
    const speaking = voice.synthesize('Hello', { signal: over.signal });
    over.abort();
    await expect(speaking).rejects.toMatchObject({ code: 'aborted' });
    expect(voice.cancelled).toBe(1);
  });
});

describe('a scripted model', () => {
  const request = (text: string): ProviderRequest => ({
    system: '',
    messages: [elements().user(text).message],
    tools: [],
  });
  const parts = (provider: ReturnType<typeof scriptedProvider>, text = 'hi') =>
    collect<ProviderPart>(provider.stream(request(text), { signal }));

  it('streams a text word by word, and ends replies that do not say how', async () => {
    const provider = scriptedProvider([
      'It is noon.',
      [reply.call('clock')],
      [reply.finish('length')],
    ]);
    expect(await parts(provider)).toEqual([
      { type: 'text-delta', text: 'It ' },
      { type: 'text-delta', text: 'is ' },
      { type: 'text-delta', text: 'noon.' },
      { type: 'finish', reason: 'stop' },
    ]);
    expect((await parts(provider)).at(-1)).toEqual({ type: 'finish', reason: 'tool-calls' });
    expect(await parts(provider)).toEqual([{ type: 'finish', reason: 'length' }]);
    provider.verify();
  });

  it('objects to another question, to one too many, and to one that never came', async () => {
    const provider = scriptedProvider([
      { expect: 'what time is it', reply: 'Noon.' },
      { expect: /joke/, reply: 'Ha.' },
      { expect: ({ tools }) => (tools.length > 0 ? true : 'no tools'), reply: '' },
    ]);
    await expect(parts(provider, 'how are you')).rejects.toThrow(
      'the provider expected, as call 1, to be asked "what time is it", and was asked "how are you"',
    );
    await expect(parts(provider, 'a fact')).rejects.toThrow(
      'to be asked /joke/, and was asked "a fact"',
    );
    await expect(parts(provider)).rejects.toThrow('asked "hi": no tools');
    await expect(parts(provider)).rejects.toThrow('and then was asked "hi"');
    expect(() => scriptedProvider(['a', { expect: 'b', reply: 'c' }]).verify()).toThrow(
      'the provider still expected a request; to be asked "b"',
    );
  });

  it('remembers an objection that the stage made an error element of', async () => {
    const provider = scriptedProvider([{ expect: 'this', reply: 'ok' }]);
    await runOn(new ProviderStage({ provider }), elements().asks('that'));
    expect(() => provider.verify()).toThrow('to be asked "this", and was asked "that"');
  });

  it('sees that it is cancelled, in the middle of a wait too', async () => {
    const clock = fakeClock();
    const held = gate();
    const provider = scriptedProvider(
      [
        [reply.text('One'), reply.hang],
        [reply.wait(100), 'Two', reply.gate(held), 'Three'],
        'Four',
      ],
      { clock },
    );
    const over = new AbortController();
    const hanging = collect(provider.stream(request('a'), { signal: over.signal }));
    over.abort();
    await expect(hanging).rejects.toMatchObject({ code: 'aborted' });
    const slow = parts(provider, 'b');
    await clock.advance(100);
    await held.reached;
    held.open();
    expect(await slow).toHaveLength(3);
    await collect(provider.stream(request('c'), { signal }), { limit: 1 });
    expect(provider.calls.map(({ cancelled, closed }) => [cancelled, closed])).toEqual([
      [true, true],
      [false, true],
      [false, true],
    ]);
  });

  it('fails where its script does, and repeats itself only when told to', async () => {
    const failing = scriptedProvider([['Well', new AntiphonError('provider-network', 'gone')]]);
    await expect(parts(failing)).rejects.toMatchObject({ code: 'provider-network' });
    const patient = scriptedProvider(['Yes.'], { repeat: true });
    expect(await parts(patient)).toEqual(await parts(patient));
    patient.verify();
  });
});
