import { describe, expect, it } from 'vitest';
import {
  element,
  textMessage,
  type SpeechElement,
  type StreamElement,
} from '../../../src/core/element.ts';
import { inWorker, type WorkerStage } from '../../../src/core/stage/remote-stage.ts';
import type { VoiceWorkerOptions } from '../../../src/stages/streaming/tts-options.ts';
import { runOn, testContext } from '../../../src/testing/stage-context.ts';
import { fliteUrl, levelDb } from './flite-file.ts';

const create = (): Worker =>
  new Worker(new URL('../../../workers/voice.ts', import.meta.url), { type: 'module' });

function voiceStage(options: Partial<VoiceWorkerOptions> = {}): WorkerStage {
  const all = { flite: { wasmUrl: fliteUrl }, ...options } satisfies VoiceWorkerOptions;
  return inWorker(create, 'voice', all);
}

const delta = (text: string, turn = 1): StreamElement =>
  element('text', { text, delta: true, role: 'assistant', turn });
const message = (text: string, turn = 1): StreamElement =>
  element('message', { message: textMessage('assistant', text), turn });
const isSpeech = (output: StreamElement): output is SpeechElement => output.kind === 'speech';
const turnOf = (turn: number) => (output: StreamElement) => output.turn === turn;

function joined(pieces: readonly SpeechElement[]): Float32Array {
  const samples = new Float32Array(pieces.reduce((sum, piece) => sum + piece.samples.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    samples.set(piece.samples, offset);
    offset += piece.samples.length;
  }
  return samples;
}

/** Inputs that a test pushes one by one while it reads the outputs. */
function controlled(): {
  push(item: StreamElement): void;
  end(): void;
  input: AsyncIterable<StreamElement>;
} {
  const waiting: StreamElement[] = [];
  let over = false;
  let wake: () => void = () => undefined;
  const input = (async function* (): AsyncGenerator<StreamElement> {
    for (;;) {
      const item = waiting.shift();
      if (item !== undefined) yield item;
      else if (over) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  })();
  return {
    input,
    push(item) {
      waiting.push(item);
      wake();
    },
    end() {
      over = true;
      wake();
    },
  };
}

describe('the voice worker', () => {
  it('speaks a reply at the rate of the speaker, in short pieces that say what they say', async () => {
    const text = 'Sure, the museum opens at ten. It costs $3.50, **really**! 😀 Come soon.';
    const outputs = await runOn(voiceStage({ outputSampleRate: 48_000 }), [
      ...(text.match(/.{1,5}/gsu) ?? []).map((part) => delta(part, 3)),
      message(text, 3),
    ]);
    const speech = outputs.filter(isSpeech);
    expect(speech.map((piece) => piece.text).join('')).toBe(text);
    expect(speech.every((piece) => piece.sampleRate === 48_000 && piece.turn === 3)).toBe(true);
    expect(Math.max(...speech.map((piece) => piece.samples.length))).toBeLessThanOrEqual(9_600);
    expect(speech.map((piece) => piece.last)).toEqual(
      speech.map((_, i) => i === speech.length - 1),
    );
    expect(outputs.at(-1)).toMatchObject({ kind: 'message', turn: 3 });
    const samples = joined(speech);
    expect(samples.length / 48_000).toBeGreaterThan(4);
    expect(samples.length / 48_000).toBeLessThan(9);
    expect(levelDb(samples)).toBeGreaterThan(-30);
  });

  it('begins to speak while the reply is still being written', async () => {
    const { input, push, end } = controlled();
    const stage = voiceStage();
    const output = stage.process(input, testContext())[Symbol.asyncIterator]();
    push(delta('Good morning to you, my '));
    const first = (await output.next()).value as StreamElement;
    expect(first).toMatchObject({ kind: 'speech', last: false });
    push(delta('friend.'));
    push(message('Good morning to you, my friend.'));
    end();
    const rest: StreamElement[] = [];
    for (let next = await output.next(); !next.done; next = await output.next())
      rest.push(next.value);
    const speech = [first, ...rest].filter(isSpeech);
    expect(speech.map((piece) => piece.text).join('')).toBe('Good morning to you, my friend.');
  });

  it('falls silent when it is interrupted, and answers the next turn', async () => {
    const { input, push, end } = controlled();
    const output = voiceStage().process(input, testContext())[Symbol.asyncIterator]();
    const long = 'This is a sentence of a very long reply. '.repeat(20);
    push(delta(long, 1));
    expect((await output.next()).value).toMatchObject({ kind: 'speech', turn: 1 });
    push(element('interrupt', { turn: 1 }));
    push(message(long, 1));
    push(delta('Yes?', 2));
    push(message('Yes?', 2));
    end();
    const rest: StreamElement[] = [];
    for (let next = await output.next(); !next.done; next = await output.next())
      rest.push(next.value);
    const interrupted = rest.findIndex((item) => item.kind === 'interrupt');
    expect(interrupted).toBeGreaterThanOrEqual(0);
    expect(rest.slice(interrupted).filter(isSpeech).filter(turnOf(1))).toEqual([]);
    expect(rest.filter(isSpeech).filter(turnOf(1)).length).toBeLessThan(60);
    const next = rest.filter(isSpeech).filter(turnOf(2));
    expect(next.map((piece) => piece.text).join('')).toBe('Yes?');
    expect(rest.filter((item) => item.kind === 'message').map((item) => item.turn)).toEqual([1, 2]);
  });

  it('tells of its voice loading and of its first audio', async () => {
    const context = testContext();
    await runOn(voiceStage(), [delta('Yes. ', 5), message('Yes.', 5)], context);
    const types = new Set(context.events.map((event) => event.type));
    expect([...types]).toEqual(
      expect.arrayContaining(['progress', 'first-sentence', 'first-audio']),
    );
  });

  it('fails with what to do when the voice is missing or a web page', async () => {
    const missing = new URL('./no-such-voice.wasm', import.meta.url).href;
    const page = new URL('/', import.meta.url).href;
    for (const wasmUrl of [missing, page])
      await expect(runOn(voiceStage({ flite: { wasmUrl } }), [])).rejects.toMatchObject({
        code: 'model-load',
        stage: 'voice',
        hint: expect.stringContaining('address'),
      });
  });
});
