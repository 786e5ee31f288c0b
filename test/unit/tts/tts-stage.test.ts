import { describe, expect, it } from 'vitest';
import { element, textMessage, type StreamElement } from '../../../src/core/element.ts';
import { AntiphonError } from '../../../src/core/errors.ts';
import { TTSStage } from '../../../src/stages/streaming/tts-stage.ts';
import { runOn, testContext } from '../../../src/testing/stage-context.ts';
import { characterVoice } from './character-voice.ts';

const message = (role: 'assistant' | 'user' | 'tool', text: string, turn = 1): StreamElement =>
  element('message', { message: textMessage(role, text), turn });

describe('TTSStage', () => {
  it('speaks a message whole, before passing it on', async () => {
    const [speech, passed, ...rest] = await runOn(new TTSStage({ synthesizer: characterVoice() }), [
      message('assistant', 'Hello there. How are you?', 4),
    ]);
    expect(speech).toMatchObject({
      kind: 'speech',
      turn: 4,
      source: 'tts',
      text: 'Hello there. How are you?',
      sampleRate: 1000,
      last: true,
    });
    expect(passed).toMatchObject({ kind: 'message', turn: 4 });
    expect(rest).toEqual([]);
  });

  it('speaks only the assistant, and no increments', async () => {
    const voice = characterVoice();
    const history = element('message', {
      message: textMessage('assistant', 'Old.'),
      meta: { fromHistory: true },
    });
    const outputs = await runOn(new TTSStage({ synthesizer: voice }), [
      history,
      message('user', 'A question.'),
      message('tool', 'A result.'),
      element('text', { text: 'Typed.', delta: false, role: 'user' }),
      element('text', { text: 'An increment', delta: true }),
      element('text', { text: 'Say this.', delta: false }),
      element('turn-end', { turn: 1 }),
    ]);
    expect(voice.spoken).toEqual(['Say this.']);
    expect(outputs.map((output) => output.kind)).toEqual([
      'message',
      'message',
      'message',
      'text',
      'speech',
      'turn-end',
    ]);
  });

  it('does not speak texts that are empty or too short', async () => {
    const voice = characterVoice();
    await runOn(new TTSStage({ synthesizer: voice, minTextLength: 5 }), [
      message('assistant', ''),
      message('assistant', ' \n Hi '),
    ]);
    expect(voice.spoken).toEqual([]);
  });

  it('gives an error for what can not be spoken, and goes on', async () => {
    const voice = characterVoice((text) => {
      if (text === 'Bad.') throw new AntiphonError('model-run', 'no', { hint: 'Say less.' });
    });
    const outputs = await runOn(new TTSStage({ synthesizer: voice }), [
      message('assistant', 'Bad.'),
      message('assistant', 'Good.'),
    ]);
    expect(outputs.map((output) => output.kind)).toEqual(['error', 'message', 'speech', 'message']);
    expect(outputs[0]).toMatchObject({
      error: { code: 'model-run', stage: 'tts', hint: 'Say less.', details: { text: 'Bad.' } },
    });
    expect(voice.spoken).toEqual(['Bad.', 'Good.']);
  });

  it('tries again when that may help', async () => {
    const voice = characterVoice((_text, call) => {
      if (call < 3) throw new AntiphonError('provider-overloaded', 'busy', { retryable: true });
    });
    const outputs = await runOn(new TTSStage({ synthesizer: voice, retry: { delayMs: 0 } }), [
      message('assistant', 'Hello.'),
    ]);
    expect(voice.spoken).toHaveLength(3);
    expect(outputs.map((output) => output.kind)).toEqual(['speech', 'message']);
  });

  it('gives up after the attempts it was given', async () => {
    const voice = characterVoice(() => {
      throw new AntiphonError('provider-overloaded', 'busy', { retryable: true });
    });
    const stage = new TTSStage({ synthesizer: voice, retry: { delayMs: 0, attempts: 2 } });
    const outputs = await runOn(stage, [message('assistant', 'Hello.')]);
    expect(voice.spoken).toHaveLength(2);
    expect(outputs[0]).toMatchObject({ kind: 'error', error: { retryable: true } });
  });

  it('drops the speech of an interrupted turn, and speaks the next', async () => {
    const context = testContext();
    const voice = characterVoice((text) => {
      if (text === 'One.') context.interrupt(1);
    });
    const outputs = await runOn(
      new TTSStage({ synthesizer: voice }),
      [message('assistant', 'One.', 1), message('assistant', 'Two.', 2)],
      context,
    );
    expect(outputs.map((output) => [output.kind, output.turn])).toEqual([
      ['message', 1],
      ['speech', 2],
      ['message', 2],
    ]);
  });

  it('gives the rate it was asked for, marks included', async () => {
    const stage = new TTSStage({ synthesizer: characterVoice(), outputSampleRate: 3000 });
    expect(stage.format).toEqual({ output: { sampleRate: 3000 } });
    const [speech] = await runOn(stage, [message('assistant', 'Hello you.')]);
    expect(speech).toMatchObject({
      sampleRate: 3000,
      marks: [
        { text: 'Hello ', offset: 0 },
        { text: 'you.', offset: 180 },
      ],
    });
    expect(speech?.kind === 'speech' && speech.samples.length).toBe(300);
  });

  it('loads the voice, telling the run about it', async () => {
    const voice = characterVoice();
    await runOn(new TTSStage({ synthesizer: voice }), []);
    expect(voice.loads).toBe(1);
  });
});
