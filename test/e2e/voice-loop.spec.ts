/** The voice loop as its users meet it: real WAV files into a fake microphone, the speaker's output transcribed. */
import { expect, test } from '@playwright/test';
import { transcribe } from './transcribe.ts';
import { readClip, sequence, VoicePage, type Clip } from './voice-page.ts';

const sample = (name: string): Clip => readClip(`demo/public/samples/${name}.wav`);
const sum = sample('seventeen-plus-twenty-five');
const time = sample('what-time-is-it');
const joke = sample('tell-me-a-joke');
const name = sample('my-name-is-anna');

async function withVoicePage(
  microphone: Clip,
  baseURL: string | undefined,
  act: (voice: VoicePage) => Promise<void>,
): Promise<void> {
  const voice = await VoicePage.open(`${baseURL}?conversation=${crypto.randomUUID()}`, microphone);
  try {
    await act(voice);
  } finally {
    await voice.close();
  }
}

/** A mind whose first reply is long enough to be talked over, whatever the machine's load; runs in the page. */
function useCountingProvider(): void {
  const words = 'one two three four five six seven eight nine ten '.repeat(6).trim();
  globalThis.agent.setProvider({
    id: 'counting',
    async *stream(request) {
      const last = JSON.stringify(request.messages.at(-1)?.parts);
      const text = last.includes('plus') ? 'The sum is forty two.' : `Here I go: ${words}.`;
      for (const word of text.match(/\s*\S+/g) ?? []) yield { type: 'text-delta', text: word };
      yield { type: 'finish', reason: 'stop' };
    },
  });
}

test('a spoken question gets the right spoken answer', async ({ baseURL }) => {
  await withVoicePage(sum, baseURL, async (voice) => {
    await voice.start();
    const [turn] = await voice.turns(1);
    expect(turn).toMatchObject({
      transcript: 'what is seventeen plus twenty five',
      interrupted: false,
    });
    expect(turn?.reply).toContain('forty two');
    expect(turn?.heard).toBe(turn?.reply);
    const spoken = await transcribe(await voice.recording());
    expect(spoken).toContain('forty two');
    const marks = [
      'speechStart',
      'speechEnd',
      'committed',
      'transcribed',
      'firstToken',
      'firstAudio',
      'heard',
    ];
    const times = marks.map((mark) => turn?.trace[mark] ?? Number.NaN);
    // Captured and rendered instants are mapped from the audio clock: allow for the estimate's few ms.
    for (const [index, at] of times.entries())
      expect(at).toBeGreaterThan((times[index - 1] ?? 0) - 50);
    expect((await voice.notes()).errors).toEqual([]);
  });
});

test('two turns in one session are remembered across a reload', async ({ baseURL }) => {
  await withVoicePage(sequence(name, 7000, sum), baseURL, async (voice) => {
    await voice.start();
    const turns = await voice.turns(2);
    expect(turns.map(({ transcript }) => transcript)).toEqual([
      expect.stringMatching(/^my name is an/),
      'what is seventeen plus twenty five',
    ]);
    await voice.page.reload();
    await voice.attach();
    const stored = await voice.page.evaluate(async () =>
      (await globalThis.agent.history()).map(({ role, generated, parts }) => [
        role,
        generated ?? parts.map((part) => (part.type === 'text' ? part.text : '')).join(''),
      ]),
    );
    expect(stored.map(([role]) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
    expect(stored[3]?.[1]).toContain('forty two');
    await expect(voice.page.getByText('forty two').first()).toBeVisible();
  });
});

test('talking over the reply cuts it: what is stored as heard is a true prefix, and the new words are answered', async ({
  baseURL,
}) => {
  await withVoicePage(sequence(joke, 3500, sum), baseURL, async (voice) => {
    await voice.page.evaluate(useCountingProvider);
    await voice.start();
    const [first, second] = await voice.turns(2);
    expect(first?.interrupted).toBe(true);
    expect(first?.heard.length).toBeGreaterThan(0);
    expect(first?.heard.length).toBeLessThan(first?.reply.length ?? 0);
    expect(first?.reply.startsWith(first.heard)).toBe(true);
    expect(second?.transcript).toBe('what is seventeen plus twenty five');
    expect(second?.heard).toBe('The sum is forty two.');
    const messages = await voice.page.evaluate(() => globalThis.agent.history());
    const cut = messages.find((message) => message.role === 'assistant');
    expect(cut?.heard).toBe(first?.heard);
    expect(cut?.generated).toBe(first?.reply);
    expect(cut?.generated?.startsWith(cut.queued ?? '?')).toBe(true);
    // What came out of the speaker agrees: the count stops early, the answer follows.
    const spoken = await transcribe(await voice.recording());
    expect(spoken).toContain('forty two');
    expect(spoken.split('ten').length - 1).toBeLessThan(6);
  });
});

test('a single word over the reply is enough to take the floor', async ({ baseURL }) => {
  // From the voice `slt`: shorter than the 500 ms of speech that take the floor without any word.
  const stop = readClip('test/fixtures/stop.wav');
  await withVoicePage(sequence(joke, 4000, stop), baseURL, async (voice) => {
    await voice.page.evaluate(useCountingProvider);
    await voice.start();
    const [first, second] = await voice.turns(2);
    expect(first?.interrupted).toBe(true);
    // Which word it was is the recogniser's affair.
    expect(second?.transcript).toMatch(/^st\w+$/);
    expect(first?.heard.length).toBeLessThan(first?.reply.length ?? 0);
  });
});

test('a page that is frozen for three seconds hears every frame and notices speech on time', async ({
  baseURL,
}) => {
  await withVoicePage(sequence(600, time), baseURL, async (voice) => {
    await voice.page.evaluate(() => globalThis.agent.load());
    const { lateness, dropped } = await voice.page.evaluate(async () => {
      const { agent } = globalThis;
      let dropped = 0;
      const speechStart = new Promise<{ noticedAfterMs: number; lagMs: number }>((resolve) => {
        agent.on('stage', ({ type, detail }) => {
          if (type === 'dropped') dropped++;
          if (type === 'speech-start') resolve(detail as never);
        });
      });
      await agent.start();
      await new Promise<void>((resolve) => {
        const off = agent.on('level', () => {
          off();
          resolve();
        });
      });
      // Speech begins about 1.6 s after the stream: the page is busy all the while.
      const until = performance.now() + 3000;
      while (performance.now() < until);
      return { lateness: await speechStart, dropped };
    });
    console.log(`page frozen for 3 s: speech noticed ${lateness.lagMs.toFixed(0)} ms late`);
    expect(lateness.lagMs).toBeLessThan(1000);
    expect(dropped).toBe(0);
    const [turn] = await voice.turns(1);
    expect(turn?.transcript).toBe('what time is it');
  });
});

test('talking over the reply silences the speaker although the page is frozen', async ({
  baseURL,
}) => {
  await withVoicePage(sequence(joke, 4500, sum, 1500), baseURL, async (voice) => {
    await voice.page.evaluate(useCountingProvider);
    await voice.page.evaluate(() => globalThis.agent.load());
    const { onsetMs, frozenFrom, frozenTo } = await voice.page.evaluate(async () => {
      const { agent } = globalThis;
      const onsets: number[] = [];
      agent.on('stage', ({ type, detail }) => {
        if (type !== 'speech-start') return;
        onsets.push(agent.captureOrigin + (detail as { speechStart: number }).speechStart);
      });
      const heard = new Promise<void>((resolve) => {
        const off = agent.on('heard', () => {
          off();
          resolve();
        });
      });
      await agent.start();
      await heard;
      const frozenFrom = performance.timeOrigin + performance.now();
      while (performance.timeOrigin + performance.now() < frozenFrom + 6000);
      while (onsets.length < 2)
        await new Promise<void>((resolve) => {
          const off = agent.on('level', () => {
            off();
            resolve();
          });
        });
      return { onsetMs: onsets[1] ?? 0, frozenFrom, frozenTo: frozenFrom + 6000 };
    });
    expect(onsetMs).toBeGreaterThan(frozenFrom);
    expect(onsetMs).toBeLessThan(frozenTo - 1500);
    const { samples, sampleRate, originMs } = await voice.recording();
    const level = (fromMs: number, toMs: number): number => {
      const part = samples.subarray(
        Math.round(((fromMs - originMs) * sampleRate) / 1000),
        Math.round(((toMs - originMs) * sampleRate) / 1000),
      );
      return Math.max(...part.map(Math.abs));
    };
    expect(level(onsetMs - 500, onsetMs)).toBeGreaterThan(0.02);
    // Still frozen, a second after the first word: silence.
    expect(level(onsetMs + 1000, onsetMs + 1400)).toBeLessThan(0.002);
    let silentAfter = 0;
    while (level(onsetMs + silentAfter, onsetMs + 1400) > 0.002) silentAfter += 10;
    console.log(`page frozen: speaker silent ${silentAfter} ms after the person began to speak`);
    const [first] = await voice.turns(1);
    expect(first?.interrupted).toBe(true);
  });
});
