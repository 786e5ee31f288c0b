/** Turn-taking in whole conversations, where it hangs on more than one stage. */
import { describe, expect, it } from 'vitest';
import { messageText } from '../../../src/core/element.ts';
import {
  fakeClock,
  reply,
  runOffline,
  scriptedProvider,
  toneLanguage,
  user,
  type OfflineRun,
} from '../../../src/testing/index.ts';

const long = 'Alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima.';
const talker = () => () => scriptedProvider([long]);
const said = ({ messages }: OfflineRun): string[] =>
  messages.flatMap((message) => (message.role === 'user' ? messageText(message) : []));
const ended = ({ turns }: OfflineRun): number[] => turns.map(({ turn }) => turn);

describe('a curt word of 200 ms', () => {
  it('over a reply silences it and is answered', async () => {
    const run = await runOffline({
      user: [
        user.says('tell me'),
        user.hears(2),
        user.says('stop', 200),
        user.pauses(1500),
        user.hearsAll(),
      ],
      provider: talker(),
    });
    expect(said(run)).toEqual(['tell me', 'stop']);
    expect(run.turns.map(({ interrupted }) => interrupted)).toEqual([true, false]);
  });

  it('after a reply is an answer', async () => {
    const run = await runOffline({
      user: [
        user.says('tell me'),
        user.pauses(700),
        user.hearsAll(),
        user.says('yes', 200),
        user.pauses(1500),
        user.hearsAll(),
      ],
      provider: () => scriptedProvider(['Shall I?']),
    });
    expect(said(run)).toEqual(['tell me', 'yes']);
    expect(run.turns).toHaveLength(2);
  });
});

describe('a noise while the assistant thinks', () => {
  const noisy = (thinkMs: number): Promise<OfflineRun> => {
    const clock = fakeClock();
    const language = toneLanguage();
    const { recognizer } = language;
    return runOffline({
      clock,
      language,
      // It can tell a cough from a word, when it hears all of it.
      recognizer: {
        sampleRate: recognizer.sampleRate,
        load: () => recognizer.load(),
        dispose: () => recognizer.dispose(),
        transcribe: async (samples) => {
          const heard = await recognizer.transcribe(samples);
          return heard.text === 'cough' ? { text: '', words: [], confidence: 0 } : heard;
        },
      },
      user: [user.says('what time is it'), user.pauses(1000), user.says('cough'), user.hearsAll()],
      provider: () =>
        scriptedProvider([[reply.wait(thinkMs), 'It is ', reply.wait(300), 'noon.']], { clock }),
    });
  };

  it.each([
    ['before the first word', 2000],
    ['before the last word', 500],
  ])('that came %s does not cost the answer', async (_, thinkMs) => {
    const run = await noisy(thinkMs);
    expect(said(run)).toEqual(['what time is it']);
    const { messages } = run;
    expect(messages.at(-1)).toMatchObject({ role: 'assistant', heard: 'It is noon.' });
    expect(messages.filter(({ heard }) => heard === 'It is noon.')).toHaveLength(1);
  });
});

describe('what the page does while the person speaks', () => {
  it('an announcement waits until they are done, and keeps its place', async () => {
    const language = toneLanguage();
    const run = await runOffline({
      language,
      user: [
        user.says('one two'),
        user.announces('Ding dong.'),
        user.says('three four five six'),
        user.hearsAll(),
      ],
      provider: () => scriptedProvider(['All right.']),
    });
    expect(said(run)).toEqual(['one two three four five six']);
    const spoken = language.understand(run.spoken);
    expect(spoken.map(({ text }) => text)).toEqual(['all', 'right', 'ding', 'dong']);
    expect(spoken[0]?.start).toBeGreaterThan(2100);
  });

  it('what is typed over a reply they are about to interrupt is answered, and so are they, at once', async () => {
    const run = await runOffline({
      user: [
        user.announces(long),
        user.hears(1),
        user.says('one', 350),
        user.types('typed'),
        user.says('two three', 700),
        user.pauses(700),
        user.hearsAll(),
      ],
      provider: () => scriptedProvider(['Answered.']),
    });
    expect(said(run)).toEqual(['one two three', 'typed']);
    expect(run.messages.filter(({ heard }) => heard?.trim() === 'Answered.')).toHaveLength(1);
  });

  it('gets a turn number of its own, though the scribe is too busy to pass on that they speak', async () => {
    const run = await runOffline({
      user: [
        user.says('one two'),
        user.pauses(800),
        user.says('three four'),
        user.announces('Ding dong.'),
        user.pauses(800),
        user.hearsAll(),
      ],
      provider: () => scriptedProvider(['All right.']),
      latency: { recognizerMs: 1500 },
    });
    expect(ended(run)).toEqual([...new Set(ended(run))]);
    expect(said(run)).toEqual(['one two', 'three four']);
  });
});
