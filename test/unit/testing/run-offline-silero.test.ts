/** Real recordings and the real detector in an offline conversation: bundled ones, and people's where they are there. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeWav, type Recording } from '../../../src/audio/wav.ts';
import { sileroVoiceActivityDetector } from '../../../src/speech/vad/silero.ts';
import {
  join,
  runOffline,
  scriptedProvider,
  scriptedRecognizer,
  silence,
  user,
} from '../../../src/testing/index.ts';
import { modelUrl } from '../turn/silero-fixture.ts';

const wav = async (file: URL): Promise<Recording> => decodeWav(await readFile(file));
const question = new URL('../../fixtures/question.wav', import.meta.url);
const shared = new URL('../../../../shared/audio/', import.meta.url);
const silero = async () => sileroVoiceActivityDetector({ modelUrl: await modelUrl('v6') });

describe('a real voice', () => {
  it('asks, is answered, and talks over the answer; the same every time', async () => {
    const said = await wav(question);
    const run = async () => {
      const recognizer = scriptedRecognizer(['what time is it', 'what time is it'], {
        interims: 'none',
      });
      const provider = scriptedProvider([
        'It is a quarter past three in the afternoon, and all is well.',
        'A quarter past three.',
      ]);
      const { log, turns } = await runOffline({
        vad: await silero(),
        recognizer,
        provider,
        user: [user.plays(said), user.hears(3), user.plays(said), user.hearsAll()],
      });
      recognizer.verify();
      provider.verify();
      expect(turns).toMatchObject([
        { turn: 1, transcript: 'what time is it', interrupted: true },
        { turn: 2, interrupted: false, heard: 'A quarter past three.' },
      ]);
      return log;
    };
    const log = await run();
    expect(await run()).toBe(log);
    await expect(`${log}\n`).toMatchFileSnapshot('../../fixtures/conversations/real-voice.log');
  });

  it.skipIf(!existsSync(fileURLToPath(shared)))(
    'of a long recording gets an answer wherever it pauses (skipped without ../shared/audio)',
    async () => {
      const said = await wav(new URL('beckett.wav', shared));
      const recording = { ...said, samples: said.samples.slice(0, 20 * said.sampleRate) };
      const provider = scriptedProvider(['Yes.'], { repeat: true });
      const run = async () => {
        let utterances = 0;
        const recognizer = {
          sampleRate: 16_000,
          load: async () => {},
          transcribe: async () => {
            utterances += 1;
            return { text: `part ${utterances}`, words: [], confidence: 1 };
          },
          dispose: async () => {},
        };
        return runOffline({ vad: await silero(), recognizer, provider, recording });
      };
      const [first, again] = [await run(), await run()];
      expect(again.log).toBe(first.log);
      expect(first.turns.length).toBeGreaterThan(1);
      expect(first.turns.every(({ transcript }) => transcript.startsWith('part '))).toBe(true);
    },
  );

  it('is heard at the rate of its recording', async () => {
    const said = join(await wav(question), silence(1500));
    const { heard } = await runOffline({
      recording: said,
      vad: await silero(),
      recognizer: scriptedRecognizer(['hello'], { interims: 'none' }),
      provider: scriptedProvider(['Hi.']),
    });
    expect(heard.sampleRate).toBe(said.sampleRate);
    expect(heard.samples.slice(0, said.samples.length)).toHaveLength(said.samples.length);
    expect(heard.samples[8000]).toBe(said.samples[8000]);
  });
});
