import { describe, expect, it } from 'vitest';
import {
  element,
  textMessage,
  type Message,
  type SpeechElement,
  type StreamElement,
} from '../../../src/core/element.ts';
import { AntiphonError } from '../../../src/core/errors.ts';
import type { TTSWithInterruptionOptions } from '../../../src/stages/streaming/tts-options.ts';
import { TTSStageWithInterruption } from '../../../src/stages/streaming/tts-stage-with-interruption.ts';
import {
  runOn,
  type ScriptedSynthesizer,
  type TestContext,
  testContext,
} from '../../../src/testing/index.ts';
import { characterVoice } from './character-voice.ts';

const delta = (text: string, turn = 1): StreamElement =>
  element('text', { text, delta: true, role: 'assistant', turn });
const sayThis = (text: string, turn = 1): StreamElement =>
  element('text', { text, delta: false, turn });
const message = (text: string, turn = 1, facts: Partial<Message> = {}): StreamElement =>
  element('message', { message: textMessage('assistant', text, facts), turn });

function stageWith(
  synthesizer: ScriptedSynthesizer,
  options: Partial<TTSWithInterruptionOptions> = {},
): TTSStageWithInterruption {
  return new TTSStageWithInterruption({ synthesizer, sentencePauseMs: 0, ...options });
}

/** What came out, readable: speech as its text (`|` for the last of a reply), the rest by kind. */
function outline(outputs: readonly StreamElement[]): string[] {
  const lines: string[] = [];
  let open = false;
  for (const output of outputs) {
    if (output.kind !== 'speech') {
      lines.push(`${output.kind} ${output.turn}`);
      open = false;
    } else if (output.last) {
      lines.push(`| ${output.turn}`);
      open = false;
    } else if (open) lines.push(`${lines.pop()}${output.text}`);
    else {
      lines.push(`${output.turn}: ${output.text}`);
      open = true;
    }
  }
  return lines;
}

const isSpeech = (output: StreamElement): output is SpeechElement => output.kind === 'speech';

describe('a reply that is being written', () => {
  it('is spoken sentence by sentence, its message passed on behind the speech', async () => {
    const voice = characterVoice();
    const increments = ['Hel', 'lo the', 're. How ', 'are you', '? ', 'Good.'].map((text) =>
      delta(text),
    );
    const outputs = await runOn(stageWith(voice), [
      ...increments,
      message('Hello there. How are you? Good.'),
    ]);
    expect(voice.spoken).toEqual(['Hello there. ', 'How are you? ', 'Good.']);
    expect(outline(outputs)).toEqual(['1: Hello there. How are you? Good.', '| 1', 'message 1']);
  });

  it('is counted word by word though the voice does not tell where they are', async () => {
    const voice = characterVoice();
    const silent = {
      ...voice,
      synthesize: async (text: string) => ({ ...(await voice.synthesize(text)), marks: [] }),
    };
    const outputs = await runOn(stageWith(silent), [delta('One two three.'), message('')]);
    expect(outline(outputs)).toEqual(['1: One two three.', '| 1', 'message 1']);
    const marks = outputs.filter(isSpeech).flatMap((piece) => piece.marks ?? []);
    expect(marks.map(({ text }) => text)).toEqual(['One ', 'two ', 'three.']);
  });

  it('is heard before it is complete', async () => {
    const stage = stageWith(characterVoice());
    let goOn: () => void = () => undefined;
    const listening = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const input = (async function* (): AsyncGenerator<StreamElement> {
      yield delta('One two. T');
      await listening;
      yield delta('hree.');
    })();
    const output = stage.process(input, testContext())[Symbol.asyncIterator]();
    const first = await output.next();
    expect(first.value).toMatchObject({ kind: 'speech', text: 'One two. ' });
    goOn();
    const rest = [];
    for (let next = await output.next(); !next.done; next = await output.next())
      rest.push(next.value);
    expect(outline(rest)).toEqual(['1: Three.', '| 1']);
  });

  it('is spoken to its end when its message never comes', async () => {
    const outputs = await runOn(stageWith(characterVoice()), [
      delta('One. Two'),
      delta(' three', 2),
    ]);
    expect(outline(outputs)).toEqual(['1: One. Two', '| 1', '2:  three', '| 2']);
  });

  it('is closed by an error of its turn', async () => {
    const error = element('error', {
      turn: 1,
      error: { code: 'provider-network', message: 'cut', hint: '', retryable: true },
    });
    const outputs = await runOn(stageWith(characterVoice()), [delta('One. Two'), error]);
    expect(outline(outputs)).toEqual(['1: One. Two', '| 1', 'error 1']);
  });

  it('is not spoken again by the message that follows an error of its turn', async () => {
    const error = element('error', {
      turn: 1,
      error: { code: 'provider-network', message: 'cut', hint: '', retryable: true },
    });
    const outputs = await runOn(stageWith(characterVoice()), [
      delta('One. Two'),
      error,
      message('One. Two'),
      message('Three.', 2),
    ]);
    expect(outline(outputs)).toEqual([
      '1: One. Two',
      '| 1',
      'error 1',
      'message 1',
      '2: Three.',
      '| 2',
      'message 2',
    ]);
  });

  it('goes on behind a message that asks for tools', async () => {
    const toolCalls = [{ id: 'a', name: 'time', arguments: {} }];
    const outputs = await runOn(stageWith(characterVoice()), [
      delta('Let me see.'),
      message('Let me see.', 1, { toolCalls }),
      element('message', { message: textMessage('tool', '5'), turn: 1 }),
      delta('It is five.'),
      message('It is five.'),
    ]);
    expect(outline(outputs)).toEqual([
      '1: Let me see.',
      'message 1',
      'message 1',
      '1: It is five.',
      '| 1',
      'message 1',
    ]);
  });

  it('has pauses between sentences and smaller ones between clauses', async () => {
    const stage = stageWith(characterVoice(), { sentencePauseMs: 90, maxPieceMs: 10_000 });
    const outputs = await runOn(stage, [delta('One two three, four five. Six.'), message('')]);
    const lengths = outputs.filter(isSpeech).map((speech) => speech.samples.length);
    expect(lengths).toEqual([150, 30 + 110, 90 + 40, 0]);
  });

  it('comes in short pieces whose texts are the reply', async () => {
    const stage = stageWith(characterVoice(), { maxPieceMs: 60 });
    const text = 'One two three four five six.  Seven\n\n- eight **nine** 😀';
    const outputs = await runOn(stage, [delta(text), message(text)]);
    const speech = outputs.filter(isSpeech);
    expect(speech.map((piece) => piece.text).join('')).toBe(text);
    expect(Math.max(...speech.map((piece) => piece.samples.length))).toBeLessThanOrEqual(60);
  });

  it('tells when its first sentence and its first audio were ready', async () => {
    const context = testContext();
    await runOn(stageWith(characterVoice()), [delta('One. Two.', 3), message('', 3)], context);
    expect(context.events.map((event) => [event.type, event.detail])).toEqual([
      ['first-sentence', { turn: 3 }],
      ['first-audio', { turn: 3 }],
    ]);
  });
});

describe('what is spoken', () => {
  it('is a message that had no increments', async () => {
    const voice = characterVoice();
    const outputs = await runOn(stageWith(voice), [message('Hello there. Bye.')]);
    expect(voice.spoken).toEqual(['Hello there. ', 'Bye.']);
    expect(outline(outputs)).toEqual(['1: Hello there. Bye.', '| 1', 'message 1']);
  });

  it('is "say this", a reply of its own', async () => {
    const outputs = await runOn(stageWith(characterVoice()), [
      sayThis('Hello.', 5),
      sayThis('Bye.', 6),
    ]);
    expect(outline(outputs)).toEqual(['5: Hello.', '| 5', '6: Bye.', '| 6']);
  });

  it('is "say this" once, although a message repeats it for the record', async () => {
    const outputs = await runOn(stageWith(characterVoice()), [
      sayThis('Hello.'),
      message('Hello.'),
    ]);
    expect(outline(outputs)).toEqual(['1: Hello.', '| 1', 'message 1']);
  });

  it('is "say this" within a reply, in its place', async () => {
    const outputs = await runOn(stageWith(characterVoice()), [
      delta('One moment'),
      sayThis('Hm.'),
      delta('Here it is.'),
      message('One momentHere it is.'),
    ]);
    expect(outline(outputs)).toEqual(['1: One momentHm.Here it is.', '| 1', 'message 1']);
  });

  it('is never the user, a tool or stored history', async () => {
    const voice = characterVoice();
    const history = { fromHistory: true };
    const inputs: StreamElement[] = [
      element('message', { message: textMessage('assistant', 'Old.'), meta: history }),
      element('message', { message: textMessage('user', 'A question.'), turn: 1 }),
      element('message', { message: textMessage('tool', 'A result.'), turn: 1 }),
      element('message', { message: textMessage('system', 'A prompt.'), turn: 1 }),
      element('text', { text: 'Typed.', delta: false, role: 'user' }),
    ];
    const outputs = await runOn(stageWith(voice), inputs);
    expect(voice.spoken).toEqual([]);
    expect(outputs).toEqual(inputs);
  });

  it('is nothing of empty and too short texts, whose replies end all the same', async () => {
    const voice = characterVoice();
    const outputs = await runOn(stageWith(voice, { minTextLength: 5 }), [
      sayThis('Hi', 1),
      message(' \n', 2),
    ]);
    expect(voice.spoken).toEqual([]);
    expect(outline(outputs)).toEqual(['| 1', '| 2', 'message 2']);
  });

  it('lets everything else through in order', async () => {
    const outputs = await runOn(stageWith(characterVoice()), [
      element('turn-end', { turn: 1 }),
      delta('One. T'),
      element('transcript', { text: 'hm', final: false, turn: 2 }),
      delta('wo.'),
      element('end', {}),
    ]);
    expect(outline(outputs)).toEqual([
      'turn-end 1',
      '1: One. ',
      'transcript 2',
      '1: Two.',
      '| 1',
      'end 0',
    ]);
  });
});

describe('an interruption', () => {
  /** Runs a stage while the voice interrupts turns at certain texts. */
  async function interrupted(
    inputs: readonly StreamElement[],
    at: Readonly<Record<string, readonly number[]>>,
  ): Promise<{ outputs: StreamElement[]; voice: ScriptedSynthesizer; context: TestContext }> {
    const context = testContext();
    const voice = characterVoice((text) => {
      for (const turn of at[text] ?? []) context.interrupt(turn);
    });
    return { outputs: await runOn(stageWith(voice), inputs, context), voice, context };
  }

  it('stops the synthesis and drops what is left, message excepted', async () => {
    const { outputs, voice } = await interrupted(
      [delta('One. Two. Three. Four.'), message('One.', 1, { finishReason: 'interrupted' })],
      { 'Two. ': [1] },
    );
    expect(voice.spoken).toEqual(['One. ', 'Two. ']);
    expect(outline(outputs).filter((line) => !line.startsWith('1: One'))).toEqual(['message 1']);
  });

  it('does not reach the next turn', async () => {
    const { outputs } = await interrupted(
      [delta('One. Two.', 1), message('One.', 1), delta('Three. Four.', 2), message('', 2)],
      { 'One. ': [1] },
    );
    expect(outline(outputs)).toEqual(['message 1', '2: Three. Four.', '| 2', 'message 2']);
  });

  it('is not lost when two come close together', async () => {
    const { outputs, voice } = await interrupted(
      [
        delta('One. Two.', 1),
        message('', 1),
        delta('Three. Four.', 2),
        message('', 2),
        delta('Five.', 3),
        message('', 3),
      ],
      { 'One. ': [1, 2] },
    );
    expect(voice.spoken).toEqual(['One. ', 'Five.']);
    expect(outline(outputs)).toEqual(['message 1', 'message 2', '3: Five.', '| 3', 'message 3']);
  });

  it('drops speech that waits for a slow reader, and lets the rest pass', async () => {
    const context = testContext();
    const stage = stageWith(characterVoice(), { lookAhead: 4, maxPieceMs: 10 });
    const input = (async function* (): AsyncGenerator<StreamElement> {
      yield delta('A very long sentence of many pieces, is it not? It is. ', 1);
      yield message('', 1);
      yield delta('Two.', 2);
    })();
    const output = stage.process(input, context)[Symbol.asyncIterator]();
    expect((await output.next()).value).toMatchObject({ kind: 'speech', turn: 1 });
    context.interrupt(1);
    const rest: StreamElement[] = [];
    for (let next = await output.next(); !next.done; next = await output.next())
      rest.push(next.value);
    // One piece may already be on its way to the reader.
    expect(rest.filter((item) => item.turn === 1 && item.kind === 'speech').length).toBeLessThan(2);
    expect(outline(rest.filter((item) => item.turn === 2 || item.kind !== 'speech'))).toEqual([
      'message 1',
      '2: Two.',
      '| 2',
    ]);
  });

  it('ends a wait for another attempt', async () => {
    const context = testContext();
    const voice = characterVoice((text) => {
      if (text !== 'One.') return;
      queueMicrotask(() => context.interrupt(1));
      throw new AntiphonError('provider-overloaded', 'busy', { retryable: true });
    });
    const stage = stageWith(voice, { retry: { delayMs: 1e9, maxDelayMs: 1e9 } });
    const outputs = await runOn(stage, [message('One.', 1), message('Two.', 2)], context);
    expect(outline(outputs)).toEqual(['message 1', '2: Two.', '| 2', 'message 2']);
  });
});

describe('trouble', () => {
  it('with one sentence is told, and the rest is spoken', async () => {
    const voice = characterVoice((text) => {
      if (text === 'Bad. ') throw new AntiphonError('model-run', 'no');
    });
    const outputs = await runOn(stageWith(voice), [delta('One. Bad. Three.'), message('')]);
    expect(outline(outputs)).toEqual(['1: One. ', 'error 1', '1: Three.', '| 1', 'message 1']);
    const error = outputs.find((output) => output.kind === 'error');
    expect(error).toMatchObject({
      error: { code: 'model-run', stage: 'tts', details: { text: 'Bad. ' } },
    });
  });

  it('that may pass is tried again, other trouble is not', async () => {
    const voice = characterVoice((text, call) => {
      if (text === 'One. ' && call < 3)
        throw new AntiphonError('provider-overloaded', 'busy', { retryable: true });
      if (text === 'Two.') throw new AntiphonError('provider-auth', 'who?');
    });
    const stage = stageWith(voice, { retry: { delayMs: 0 } });
    const outputs = await runOn(stage, [delta('One. Two.'), message('')]);
    expect(voice.spoken).toEqual(['One. ', 'One. ', 'One. ', 'Two.']);
    expect(outline(outputs)).toEqual(['1: One. ', 'error 1', '| 1', 'message 1']);
  });

  it('of the input ends the stage with that trouble', async () => {
    const input = (async function* (): AsyncGenerator<StreamElement> {
      yield delta('One.');
      throw new AntiphonError('channel-closed', 'gone');
    })();
    await expect(runOn(stageWith(characterVoice()), input)).rejects.toMatchObject({
      code: 'channel-closed',
    });
  });

  it('of a reader that has gone stops the work', async () => {
    const voice = characterVoice();
    const stage = stageWith(voice, { lookAhead: 2, maxPieceMs: 10 });
    const long = Array.from({ length: 50 }, (_, i) => `Sentence ${i}. `).join('');
    const output = stage.process(
      (async function* () {
        yield delta(long);
      })(),
      testContext(),
    );
    for await (const first of output) {
      expect(first.kind).toBe('speech');
      break;
    }
    const spoken = voice.spoken.length;
    await new Promise<void>((resolve) => setTimeout(resolve));
    expect(voice.spoken.length).toBe(spoken);
    expect(spoken).toBeLessThan(5);
  });
});

describe('long replies', () => {
  it('wait for the reader: never more than the look-ahead is held', async () => {
    const voice = characterVoice();
    const stage = stageWith(voice, { lookAhead: 3 });
    const sentences = Array.from({ length: 20 }, (_, i) => `Sentence ${i}. `);
    const output = stage.process(
      (async function* () {
        yield delta(sentences.join(''));
      })(),
      testContext(),
    );
    for (let taken = 1; taken <= 20; taken += 1) {
      await output.next();
      expect(voice.spoken.length).toBeLessThanOrEqual(taken + 4);
    }
    expect(voice.spoken).toEqual(sentences);
  });
});

describe('a reply with a tool in it', () => {
  const call = element('tool-call', { call: { id: 'c', name: 'look', arguments: {} }, turn: 1 });
  const filler = element('text', {
    text: 'One moment.',
    delta: false,
    turn: 1,
    meta: { filler: true },
  });

  it('is spoken up to the tool before it is known how it goes on', async () => {
    const voice = characterVoice();
    const outputs = await runOn(stageWith(voice), [
      delta('Let me look'),
      call,
      delta(' and see. Noon.'),
      message('Let me look and see. Noon.'),
    ]);
    expect(voice.spoken).toEqual(['Let me look', ' and see. ', 'Noon.']);
    expect(outline(outputs)).toEqual([
      '1: Let me look',
      'tool-call 1',
      '1:  and see. Noon.',
      '| 1',
      'message 1',
    ]);
  });

  it('has a filler spoken that nobody counts as heard of it', async () => {
    const voice = characterVoice();
    const outputs = await runOn(stageWith(voice), [
      delta('Let me look.'),
      call,
      filler,
      delta(' Noon.'),
      message('Let me look. Noon.'),
    ]);
    expect(voice.spoken).toEqual(['Let me look.', 'One moment.', ' Noon.']);
    const speech = outputs.filter(isSpeech);
    expect(speech.map(({ text }) => text).join('')).toBe('Let me look. Noon.');
    const silent = speech.filter(({ text, samples }) => text === '' && samples.length > 0);
    expect(silent.length).toBeGreaterThan(0);
    for (const { marks, last } of silent) expect([marks, last]).toEqual([[], false]);
    expect(speech.filter(({ last }) => last)).toHaveLength(1);
  });

  it('may begin with a filler, and ends once', async () => {
    const outputs = await runOn(stageWith(characterVoice()), [
      call,
      filler,
      delta('Noon.'),
      message('Noon.'),
      element('turn-end', { turn: 1 }),
    ]);
    expect(outline(outputs)).toEqual(['tool-call 1', '1: Noon.', '| 1', 'message 1', 'turn-end 1']);
  });

  it('that waits for an answer from outside is over with its turn', async () => {
    const calls = [{ id: 'c', name: 'form', arguments: {} }];
    const outputs = await runOn(stageWith(characterVoice()), [
      delta('Fill it in.'),
      message('Fill it in.', 1, { toolCalls: calls }),
      element('turn-end', { turn: 1 }),
    ]);
    expect(outline(outputs)).toEqual(['1: Fill it in.', 'message 1', '| 1', 'turn-end 1']);
  });
});
