import { describe, expect, it } from 'vitest';
import type { FloorWords } from '../../../src/audio/floor.ts';
import {
  type AudioElement,
  type Kind,
  type StreamElement,
  type UtteranceElement,
  element,
  messageText,
} from '../../../src/core/element.ts';
import { AntiphonError } from '../../../src/core/errors.ts';
import type { STTStageOptions } from '../../../src/stages/streaming/stt-options.ts';
import { STTStage } from '../../../src/stages/streaming/stt-stage.ts';
import {
  only,
  recognition,
  runOn,
  scriptedRecognizer,
  settle,
  testContext,
} from '../../../src/testing/index.ts';

const rate = 16_000;
const audio = (turn: number, ms: number, at = 0): AudioElement =>
  element('audio', { turn, at, sampleRate: rate, samples: new Float32Array((ms * rate) / 1000) });
const utterance = (turn: number, at = 0, sampleRate = rate): UtteranceElement =>
  element('utterance', {
    turn,
    at,
    sampleRate,
    samples: new Float32Array(rate),
    speechStart: at,
    speechEnd: at + 1000,
  });
const turnEnd = (turn: number): StreamElement => element('turn-end', { turn });
const kinds = (elements: readonly StreamElement[]): Kind[] => elements.map(({ kind }) => kind);

/** The ears' end of a port for words; `told` resolves with the first `count` messages. */
function ears(): {
  readonly words: MessagePort;
  told(count: number): Promise<readonly FloorWords[]>;
} {
  const { port1: words, port2 } = new MessageChannel();
  const messages: FloorWords[] = [];
  let heard = (): void => {};
  port2.onmessage = ({ data }: MessageEvent<FloorWords>) => {
    messages.push(data);
    heard();
  };
  return {
    words,
    async told(count) {
      while (messages.length < count) await new Promise<void>((resolve) => (heard = resolve));
      port2.close();
      return messages;
    },
  };
}

/** A stage at work, fed and read by hand. */
function atWork(options: STTStageOptions): {
  give(...elements: StreamElement[]): Promise<void>;
  finish(): Promise<StreamElement[]>;
  readonly outputs: StreamElement[];
  readonly events: readonly { readonly type: string }[];
} {
  const context = testContext();
  const waiting: StreamElement[] = [];
  let wake: (() => void) | undefined;
  let closed = false;
  const input = (async function* () {
    for (;;) {
      const next = waiting.shift();
      if (next !== undefined) yield next;
      else if (closed) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  })();
  const outputs: StreamElement[] = [];
  const done = (async () => {
    for await (const output of new STTStage(options).process(input, context)) outputs.push(output);
  })();
  return {
    outputs,
    events: context.events,
    async give(...elements) {
      waiting.push(...elements);
      wake?.();
      await settle();
    },
    async finish() {
      closed = true;
      wake?.();
      await done;
      return outputs;
    },
  };
}

describe('STTStage', () => {
  it('emits final transcript, user message and then lets the turn end', async () => {
    const recognizer = scriptedRecognizer([recognition(' what time is it ', { confidence: 0.8 })]);
    const outputs = await runOn(new STTStage({ recognizer, language: 'en' }), [
      element('speech-start', { turn: 3 }),
      utterance(3, 2000),
      turnEnd(3),
    ]);
    expect(kinds(outputs)).toEqual(['speech-start', 'transcript', 'message', 'turn-end']);
    const [transcript] = only(outputs, 'transcript');
    expect(transcript).toMatchObject({
      turn: 3,
      source: 'stt',
      text: 'what time is it',
      final: true,
      confidence: 0.8,
      language: 'en',
    });
    expect(transcript?.words?.[1]).toEqual({ text: 'time', start: 2100, end: 2200 });
    const [message] = only(outputs, 'message');
    expect(message).toMatchObject({
      turn: 3,
      message: { role: 'user' },
      meta: { confidence: 0.8, words: transcript?.words },
    });
    expect(message && messageText(message.message)).toBe('what time is it');
  });

  it('loads the recogniser before the first element and tells the progress', async () => {
    const recognizer = scriptedRecognizer([]);
    const context = testContext();
    const load: typeof recognizer.load = (onProgress) => {
      onProgress?.({ asset: 'model.onnx', loaded: 1, total: 2 });
      return Promise.resolve();
    };
    await runOn(new STTStage({ recognizer: { ...recognizer, load } }), [], context);
    expect(context.events).toMatchObject([
      { type: 'progress', detail: { asset: 'model.onnx', loaded: 1, total: 2 } },
    ]);
  });

  it('says nothing in the name of someone who said nothing', async () => {
    const recognizer = scriptedRecognizer([recognition('  ', { confidence: 0 })]);
    const outputs = await runOn(new STTStage({ recognizer }), [utterance(1), turnEnd(1)]);
    expect(kinds(outputs)).toEqual(['transcript', 'turn-end']);
    expect(outputs[0]).toMatchObject({ text: '', final: true });
  });

  it('consumes audio and utterances, or passes them on behind the transcript when asked to', async () => {
    const spoken = [audio(1, 100), utterance(1), turnEnd(1)];
    const silent = new STTStage({ recognizer: scriptedRecognizer([recognition('yes')]) });
    expect(kinds(await runOn(silent, spoken))).toEqual(['transcript', 'message', 'turn-end']);
    expect(silent.emits).not.toContain('audio');
    const forwarding = new STTStage({
      recognizer: scriptedRecognizer([recognition('yes')]),
      forwardAudio: true,
    });
    expect(forwarding.emits).toContain('utterance');
    expect(kinds(await runOn(forwarding, spoken))).toEqual([
      'audio',
      'transcript',
      'message',
      'utterance',
      'turn-end',
    ]);
  });

  it('turns a failure into an error element that names the stage, and the turn still ends', async () => {
    const failure = new AntiphonError('model-run', 'out of memory', { hint: 'Load it again.' });
    const recognizer = scriptedRecognizer([failure, recognition('still here')]);
    const outputs = await runOn(new STTStage({ recognizer, name: 'scribe' }), [
      utterance(1),
      turnEnd(1),
      utterance(2),
      turnEnd(2),
    ]);
    expect(kinds(outputs)).toEqual(['error', 'turn-end', 'transcript', 'message', 'turn-end']);
    expect(outputs[0]).toMatchObject({
      turn: 1,
      error: { code: 'model-run', stage: 'scribe', hint: 'Load it again.' },
    });
    expect(recognizer.transcribed).toHaveLength(2);
  });

  it('tries again after an error that may pass, as often as the policy says', async () => {
    const busy = new AntiphonError('provider-overloaded', 'busy', { retryable: true });
    const patient = scriptedRecognizer([busy, busy, recognition('hello')]);
    const retry = { baseDelayMs: 0 };
    const outputs = await runOn(new STTStage({ recognizer: patient, retry }), [utterance(1)]);
    expect(patient.transcribed).toHaveLength(3);
    expect(outputs[0]).toMatchObject({ kind: 'transcript', text: 'hello' });
    const hopeless = scriptedRecognizer([busy, busy, busy, recognition('too late')]);
    const failed = await runOn(new STTStage({ recognizer: hopeless, retry }), [utterance(1)]);
    expect(hopeless.transcribed).toHaveLength(3);
    expect(failed[0]).toMatchObject({ kind: 'error', error: { retryable: true } });
  });

  it('refuses an utterance of another rate by an error element', async () => {
    const recognizer = scriptedRecognizer([recognition('never')]);
    const outputs = await runOn(new STTStage({ recognizer }), [utterance(1, 0, 8000)]);
    expect(outputs[0]).toMatchObject({ kind: 'error', error: { code: 'audio-format' } });
    expect(recognizer.transcribed).toHaveLength(0);
  });

  it('stops transcribing when the run ends', async () => {
    const context = testContext();
    let signal: AbortSignal | undefined;
    const recognizer = {
      ...scriptedRecognizer([]),
      transcribe: (_samples: Float32Array, options: { readonly signal?: AbortSignal } = {}) => {
        signal = options.signal;
        return new Promise<never>((_resolve, reject) => {
          options.signal?.addEventListener('abort', () => reject(new Error('stopped')));
          context.end();
        });
      },
    };
    await expect(
      runOn(new STTStage({ recognizer }), [utterance(1)], context),
    ).rejects.toMatchObject({ message: 'stopped' });
    expect(signal?.aborted).toBe(true);
  });
});

describe('interim transcripts', () => {
  it('come while the person speaks, on the capture clock, and only when they changed', async () => {
    const recognizer = scriptedRecognizer([recognition('what time')], { interims: 'by-hand' });
    const stage = atWork({ recognizer });
    await stage.give(audio(1, 500, 4000));
    const [stream] = recognizer.streams;
    stream?.answer(recognition('what'));
    await stage.give(audio(1, 320, 4500));
    stream?.answer(recognition('what'));
    await stage.give(audio(1, 320, 4820));
    stream?.answer(recognition('what time'));
    await stage.give();
    expect(stage.outputs).toMatchObject([
      { kind: 'transcript', final: false, text: 'what', words: [{ start: 4000, end: 4100 }] },
      { kind: 'transcript', final: false, text: 'what time' },
    ]);
    await stage.give(utterance(1, 4000), turnEnd(1));
    expect(kinds(await stage.finish())).toEqual([
      'transcript',
      'transcript',
      'transcript',
      'message',
      'turn-end',
    ]);
    expect(stream).toMatchObject({ closed: true, samples: 1140 * 16 });
  });

  it('wait for new audio, and never queue up behind a busy engine', async () => {
    const recognizer = scriptedRecognizer([], { interims: 'by-hand' });
    const stage = atWork({ recognizer });
    for (let i = 0; i < 9; i++) await stage.give(audio(1, 32, i * 32));
    const [stream] = recognizer.streams;
    expect(stream?.attempts).toBe(0);
    await stage.give(audio(1, 32, 9 * 32));
    expect(stream?.attempts).toBe(1);
    for (let i = 0; i < 50; i++) await stage.give(audio(1, 32, (10 + i) * 32));
    expect(stream?.attempts).toBe(1);
    stream?.answer(recognition('so'));
    await stage.give(audio(1, 32, 60 * 32));
    expect(stream?.attempts).toBe(2);
    await stage.finish();
  });

  it('of a misfire are forgotten', async () => {
    const recognizer = scriptedRecognizer([], { interims: 'by-hand' });
    const stage = atWork({ recognizer });
    await stage.give(audio(2, 500));
    await stage.give(element('speech-end', { turn: 2, misfire: true }));
    recognizer.streams[0]?.answer(recognition('cough'));
    await stage.give(audio(3, 500));
    expect(recognizer.streams.map(({ closed }) => closed)).toEqual([true, false]);
    expect(kinds(await stage.finish())).toEqual(['speech-end']);
  });

  it('that come too late for their turn are dropped', async () => {
    const recognizer = scriptedRecognizer([recognition('final')], { interims: 'by-hand' });
    const stage = atWork({ recognizer });
    await stage.give(audio(1, 500));
    await stage.give(utterance(1), turnEnd(1));
    recognizer.streams[0]?.answer(recognition('fin'));
    const outputs = await stage.finish();
    expect(only(outputs, 'transcript').map(({ text }) => text)).toEqual(['final']);
  });

  it('that fail end the interims of the turn, not the turn', async () => {
    const recognizer = scriptedRecognizer([recognition('final')], { interims: 'by-hand' });
    const stage = atWork({ recognizer });
    await stage.give(audio(1, 500));
    recognizer.streams[0]?.answer(new Error('broken'));
    await stage.give(audio(1, 500), audio(1, 500));
    expect(recognizer.streams[0]?.attempts).toBe(1);
    expect(stage.events).toMatchObject([{ type: 'interim-failed', detail: { code: 'model-run' } }]);
    await stage.give(utterance(1), turnEnd(1));
    expect(kinds(await stage.finish())).toEqual(['transcript', 'message', 'turn-end']);
  });

  it('are left out when switched off and when the engine has none', async () => {
    const off = scriptedRecognizer([recognition('a')], { interims: 'by-hand' });
    await runOn(new STTStage({ recognizer: off, interims: false }), [audio(1, 900), utterance(1)]);
    expect(off.streams).toHaveLength(0);
    const unable = scriptedRecognizer(['a'], { interims: 'none' });
    const outputs = await runOn(new STTStage({ recognizer: unable }), [
      audio(1, 900),
      utterance(1),
    ]);
    expect(kinds(outputs)).toEqual(['transcript', 'message']);
  });

  it('tell ears the words that are over, up to where they are all, and at the end all', async () => {
    const { words, told } = ears();
    const recognizer = scriptedRecognizer([recognition('yeah right')], { interims: 'by-hand' });
    const stage = atWork({ recognizer, words });
    await stage.give(audio(5, 400, 2000));
    // Words of 100 ms each: after 400 ms of audio the third may still be going on.
    recognizer.streams[0]?.answer(recognition('yeah right no'));
    await stage.give(utterance(5), turnEnd(5));
    await stage.finish();
    expect(await told(3)).toEqual([
      { type: 'words', turn: 5, text: '', final: false, until: 2000 },
      { type: 'words', turn: 5, text: 'yeah right', final: false, until: 2200 },
      { type: 'words', turn: 5, text: 'yeah right', final: true },
    ]);
  });

  it('tell ears that a lone word is over, although it is written down already', async () => {
    const { words, told } = ears();
    const recognizer = scriptedRecognizer([], { interims: 'by-hand' });
    const stage = atWork({ recognizer, words });
    await stage.give(audio(5, 300));
    const stop = recognition('stop', { words: [{ text: 'stop', start: 50, end: 250 }] });
    recognizer.streams[0]?.answer(stop);
    await stage.give(audio(5, 300));
    recognizer.streams[0]?.answer(stop);
    expect((await told(3)).slice(1)).toEqual([
      { type: 'words', turn: 5, text: '', final: false, until: 50 },
      { type: 'words', turn: 5, text: 'stop', final: false, until: 440 },
    ]);
    expect(kinds(await stage.finish())).toEqual(['transcript']);
  });

  it('tell ears that nothing was understood, and take words back', async () => {
    const { words, told } = ears();
    const recognizer = scriptedRecognizer([], { interims: 'by-hand' });
    const stage = atWork({ recognizer, words });
    for (const text of ['stop', '']) {
      await stage.give(audio(5, 400));
      recognizer.streams[0]?.answer(recognition(text));
    }
    expect((await told(3)).map(({ text, until }) => [text, until])).toEqual([
      ['', 0],
      ['stop', 240],
      ['', 640],
    ]);
    await stage.finish();
  });

  it('without times are over when they stay the same', async () => {
    const { words, told } = ears();
    const recognizer = scriptedRecognizer([], { interims: 'by-hand' });
    const stage = atWork({ recognizer, words });
    for (const text of ['st', 'stop', 'stop']) {
      await stage.give(audio(5, 400));
      recognizer.streams[0]?.answer(recognition(text, { words: [] }));
    }
    expect((await told(4)).map(({ text, until }) => [text, until])).toEqual([
      ['', 0],
      ['', 0],
      ['', 0],
      ['stop', 1040],
    ]);
    await stage.finish();
  });

  it('that will not come are not waited for: ears are told', async () => {
    const none = { type: 'words', text: '', final: false, until: Infinity };
    const unable = ears();
    const recognizer = scriptedRecognizer(['a'], { interims: 'none' });
    await runOn(new STTStage({ recognizer, words: unable.words }), [
      audio(1, 300),
      audio(1, 300),
      utterance(1),
    ]);
    expect(await unable.told(2)).toMatchObject([
      { ...none, turn: 1 },
      { text: 'a', final: true },
    ]);
    const broken = ears();
    const breaking = scriptedRecognizer([], { interims: 'by-hand' });
    const stage = atWork({ recognizer: breaking, words: broken.words });
    await stage.give(audio(1, 400));
    breaking.streams[0]?.answer(new Error('broken'));
    expect(await broken.told(2)).toMatchObject([{ until: 0 }, { ...none, turn: 1 }]);
    await stage.finish();
  });

  it('of an utterance that could not be understood are none: ears await no reply', async () => {
    const { words, told } = ears();
    const failure = new AntiphonError('model-run', 'out of memory');
    await runOn(new STTStage({ recognizer: scriptedRecognizer([failure]), words }), [utterance(1)]);
    expect(await told(1)).toEqual([{ type: 'words', turn: 1, text: '', final: true }]);
  });
});
