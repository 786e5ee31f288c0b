/** The streaming family, over scripted engines. */
import { expect, it } from 'vitest';
import {
  element,
  messageText,
  textMessage,
  type StreamElement,
} from '../../../src/core/element.ts';
import { elements, only } from '../../../src/testing/elements.ts';
import { brief } from '../brief.ts';
import type { Realm } from '../realm.ts';

/** One spoken turn, as a scripted detector reads it. */
const spoken = (source = ''): StreamElement[] =>
  elements()
    .probabilities([320, 0.01], [960, 0.95], [1600, 0.01])
    .map((one) => ({ ...one, source }));

const reply = (): StreamElement =>
  element('message', { message: textMessage('assistant', 'One two. Three four.'), turn: 1 });

/** Registers the cases. */
export function streaming(realm: Realm): void {
  it('audio turn cuts speech into turns', async () => {
    const { outputs } = await realm.run('audioTurn', {}, spoken());
    const kinds = outputs.map(({ kind }) => kind).filter((kind) => kind !== 'audio');
    expect(kinds).toEqual(['speech-start', 'speech-end', 'utterance', 'turn-end', 'end']);
    const [utterance] = only(outputs, 'utterance');
    const speechMs = (utterance?.speechEnd ?? 0) - (utterance?.speechStart ?? 0);
    expect(Math.abs(speechMs - 960)).toBeLessThanOrEqual(32);
  });

  it('recogniser writes down an utterance', async () => {
    const make = elements();
    const { outputs } = await realm.run('stt', { script: ['good morning'] }, [
      make.speechStart(),
      make.utterance(new Float32Array(16_000).fill(0.1)),
      make.turnEnd(),
    ]);
    expect(brief(outputs)).toEqual([
      'speech-start',
      'transcript good morning',
      'message good morning',
      'turn-end',
      'end',
    ]);
  });

  it('accumulator makes one message of a turn', async () => {
    const { outputs } = await realm.run('vadAccumulator', { script: ['hello there'] }, spoken());
    expect(brief(outputs)).toEqual([
      'speech-start',
      'speech-end',
      'message hello there',
      'turn-end',
      'end',
    ]);
  });

  it('voice speaks a whole reply, and lets the message follow', async () => {
    const { outputs } = await realm.run('tts', {}, [reply(), elements().turnEnd()]);
    expect(outputs.map(({ kind }) => kind)).toEqual(['speech', 'message', 'turn-end', 'end']);
    const [speech] = only(outputs, 'speech');
    expect(speech).toMatchObject({ text: 'One two. Three four.', last: true });
    expect(speech?.samples.length).toBeGreaterThan(0);
  });

  it('voice of live sessions speaks in pieces, the last of which says so', async () => {
    const { outputs } = await realm.run('ttsWithInterruption', {}, [reply(), elements().turnEnd()]);
    const pieces = only(outputs, 'speech');
    expect(pieces.map(({ text }) => text).join('')).toBe('One two. Three four.');
    expect(pieces.map(({ last }) => last).filter(Boolean)).toEqual([true]);
    expect(pieces.at(-1)?.last).toBe(true);
    expect(outputs.slice(-3).map(({ kind }) => kind)).toEqual(['message', 'turn-end', 'end']);
  });

  it('voice of live sessions falls silent when it is interrupted', async () => {
    const { outputs } = await realm.run(
      'ttsWithInterruption',
      {},
      [reply(), elements().turnEnd()],
      {
        interrupt: { on: ({ kind }) => kind === 'speech' },
      },
    );
    const interrupted = outputs.findIndex(({ kind }) => kind === 'interrupt');
    expect(interrupted).toBeGreaterThan(0);
    expect(only(outputs.slice(interrupted), 'speech')).toEqual([]);
    expect(only(outputs, 'message')).toHaveLength(1);
  });

  it('a realtime model answers what is typed and what is spoken', async () => {
    const make = elements();
    const { outputs, errors } = await realm.run('duplex', {}, [
      ...make.asks('hello'),
      make.speechStart({ turn: 2 }),
      make.audio(new Float32Array(1600), { turn: 2 }),
      make.speechEnd({ turn: 2 }),
      make.utterance(new Float32Array(1600), { turn: 2 }),
      make.turnEnd({ turn: 2 }),
    ]);
    expect(errors).toEqual([]);
    const said = only(outputs, 'message').map(
      ({ turn, message }) => `${turn} ${message.role}: ${messageText(message)}`,
    );
    expect(said).toEqual([
      '1 user: hello',
      '1 assistant: You said hello.',
      '2 user: something',
      '2 assistant: You said something.',
    ]);
    const spoken = only(outputs, 'speech')
      .map(({ text }) => text)
      .join('');
    expect(spoken).toBe('You said hello.You said something.');
  });

  it('speaker tracks hear several people', async () => {
    const [ann, ben] = [spoken('ann'), spoken('ben')];
    const { outputs } = await realm.run(
      'speakerTracks',
      { scripts: { ann: ['good morning'], ben: ['hello'] } },
      ann.flatMap((one, index) => [one, ben[index] ?? one]),
    );
    expect(
      only(outputs, 'message')
        .map(({ message }) => messageText(message))
        .sort(),
    ).toEqual(['ann: good morning', 'ben: hello']);
    expect(only(outputs, 'turn-end').map(({ turn }) => turn)).toEqual([1, 2]);
  });
}
