/** A realtime session as its users meet it: speech into a fake microphone, a protocol server on loopback, the speaker's output measured. */
import { expect, test } from '@playwright/test';
import { fileURLToPath } from 'node:url';
import {
  OpenAIRealtimeServer,
  type OpenAIRealtimeScript,
} from '../../src/testing/servers/index.ts';
import { transcribe } from './transcribe.ts';
import { readClip, sequence, VoicePage, type Clip, type TalkNotes } from './voice-page.ts';

const sample = (name: string): Clip => readClip(`demo/public/samples/${name}.wav`);
const joke = sample('tell-me-a-joke');
const sum = sample('seventeen-plus-twenty-five');
const sdk = `/@fs${fileURLToPath(new URL('../../src/index.ts', import.meta.url))}`;

/** A page whose agent talks to `server`, with a local mind to fall back on. */
async function withRealtimePage(
  script: OpenAIRealtimeScript,
  microphone: Clip,
  baseURL: string | undefined,
  act: (voice: VoicePage, server: OpenAIRealtimeServer) => Promise<void>,
): Promise<void> {
  const server = await OpenAIRealtimeServer.start(script);
  const voice = await VoicePage.open(`${baseURL}?conversation=${crypto.randomUUID()}`, microphone);
  try {
    await voice.page.evaluate(
      async ({ sdk, url, conversation }) => {
        const antiphon = (await import(sdk)) as typeof import('../../src/index.ts');
        globalThis.agent = await antiphon.createVoiceAgent({
          conversation,
          realtime: antiphon.openAIRealtime({
            model: 'gpt-realtime-2.1',
            token: () => 'ek_a_token_of_this_test_only',
            url,
            reconnect: { attempts: 3, baseDelayMs: 100 },
          }),
          provider: {
            id: 'local',
            async *stream() {
              yield { type: 'text-delta', text: 'The sum is forty two.' };
              yield { type: 'finish', reason: 'stop' };
            },
          },
        });
      },
      { sdk, url: server.url, conversation: crypto.randomUUID() },
    );
    await voice.attach();
    await act(voice, server);
    expect(server.violations).toEqual([]);
    await voice.page.evaluate(() => globalThis.agent.stop());
    await server.idle();
  } finally {
    await voice.close();
    await server.close();
  }
}

/** Stretches of sound in a recording, in ms; silence of 250 ms ends one. */
function sounds({ samples, sampleRate }: Clip): { readonly atMs: number; readonly ms: number }[] {
  const found: { from: number; to: number }[] = [];
  for (const [index, sample] of samples.entries()) {
    if (Math.abs(sample) < 0.0015) continue;
    const last = found.at(-1);
    if (last && index - last.to < sampleRate / 4) last.to = index;
    else found.push({ from: index, to: index });
  }
  const inMs = (length: number): number => (length * 1000) / sampleRate;
  return found.map(({ from, to }) => ({ atMs: inMs(from), ms: inMs(to - from) }));
}

/** How long the first of two replies was heard: a first sign of speech may have held it for a while. */
function firstReply(
  recording: Clip & { readonly originMs: number },
  second: TalkNotes['turns'][number] | undefined,
): { readonly heardMs: number; readonly stretches: number } {
  // What sounds after the words that interrupted were over belongs to the second, whole or not.
  const until = (second?.trace['committed'] ?? 0) - recording.originMs;
  const heard = sounds(recording).filter(({ atMs }) => atMs < until);
  return { heardMs: heard.reduce((sum, { ms }) => sum + ms, 0), stretches: heard.length };
}

const count = 'one two three four five six seven eight nine ten '.repeat(5).trim();

test('talking over a realtime reply truncates it where the speaker fell silent', async ({
  baseURL,
}) => {
  await withRealtimePage(
    {
      transcripts: ['tell me a joke', 'what is seventeen plus twenty five'],
      replies: [[{ say: count, ms: 20_000 }], [{ say: 'Forty two.', ms: 900 }]],
    },
    sequence(joke, 3500, sum),
    baseURL,
    async (voice, server) => {
      await voice.start();
      const [first, second] = await voice.turns(2);
      expect(first).toMatchObject({ transcript: 'tell me a joke', interrupted: true });
      expect(count.startsWith(first?.heard ?? '?')).toBe(true);
      expect(second).toMatchObject({
        reply: 'Forty two.',
        heard: 'Forty two.',
        interrupted: false,
      });
      expect(second?.trace['voiceToVoiceMs']).toBeGreaterThan(0);
      const [cut] = (await server.session(1)).conversation.items.filter(
        ({ samples }) => samples > 0,
      );
      const truncatedAtMs = cut?.truncatedAtMs ?? 0;
      const { heardMs, stretches } = firstReply(await voice.recording(), second);
      console.log(`heard ${heardMs.toFixed(1)} ms, truncated at ${truncatedAtMs} ms`);
      expect(truncatedAtMs).toBeGreaterThan(500);
      // A quantum, the fade, and what is below the threshold of this measurement.
      expect(Math.abs(heardMs - truncatedAtMs)).toBeLessThan(20 * stretches);
      const stored = await voice.page.evaluate(() => globalThis.agent.history());
      expect(stored.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
      expect(stored[1]).toMatchObject({ generated: count, heard: first?.heard });
      // Words are estimated: within a third of what the time says.
      const share =
        (first?.heard.split(' ').length ?? 0) /
        (count.split(' ').length * (truncatedAtMs / 20_000));
      expect(share).toBeGreaterThan(0.66);
      expect(share).toBeLessThan(1.34);
    },
  );
});

test('when the server is gone in mid-reply the talk goes on locally, with the same history', async ({
  baseURL,
}) => {
  const script = {
    transcripts: ['tell me a joke'],
    replies: [
      [{ say: 'A horse walks into a', ms: 1500 }, { gate: 'cut' }, { fault: 'drop' as const }],
    ],
    refuse: [] as number[],
  };
  // The clip begins anew with the local session: it is quiet until that has answered.
  await withRealtimePage(script, sequence(7000, joke, 14_000), baseURL, async (voice, server) => {
    const fallback = voice.page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          globalThis.agent.on('fallback', ({ error }) => resolve(error.code));
        }),
    );
    await voice.start();
    await server.gates.reached('cut');
    script.refuse.push(2, 3, 4, 5);
    server.gates.open('cut');
    expect(await fallback).toBe('provider-network');
    const turns = await voice.turns(2);
    expect(turns[1]).toMatchObject({
      reply: 'The sum is forty two.',
      heard: 'The sum is forty two.',
    });
    const stored = await voice.page.evaluate(async () =>
      (await globalThis.agent.history()).map(({ role, generated, parts, finishReason }) => [
        role,
        generated ?? parts.map((part) => (part.type === 'text' ? part.text : '')).join(''),
        finishReason,
      ]),
    );
    expect(stored).toEqual([
      ['user', 'tell me a joke', undefined],
      ['assistant', 'A horse walks into a', 'error'],
      ['assistant', 'The sum is forty two.', 'stop'],
    ]);
    expect(await transcribe(await voice.recording())).toContain('forty two');
  });
});

test('the server hears of the interruption while the page is frozen', async ({ baseURL }) => {
  await withRealtimePage(
    {
      transcripts: ['tell me a joke', 'what is seventeen plus twenty five'],
      replies: [[{ say: count, ms: 20_000 }], [{ say: 'Forty two.', ms: 900 }]],
    },
    sequence(joke, 4500, sum, 1500),
    baseURL,
    async (voice, server) => {
      await voice.page.evaluate(() => globalThis.agent.load());
      const frozen = voice.page.evaluate(async () => {
        const { agent } = globalThis;
        const heard = new Promise<void>((resolve) => {
          const off = agent.on('heard', () => {
            off();
            resolve();
          });
        });
        await agent.start();
        await heard;
        const until = Date.now() + 7000;
        while (Date.now() < until);
        return until;
      });
      const peer = await server.session(1);
      const truncatedAtMs = (): number | undefined =>
        peer.conversation.items.find(({ samples }) => samples > 0)?.truncatedAtMs;
      await expect.poll(truncatedAtMs, { intervals: [50], timeout: 60_000 }).toBeGreaterThan(0);
      const toldAt = Date.now();
      const until = await frozen;
      console.log(`truncated ${until - toldAt} ms before the page was free again`);
      expect(toldAt).toBeLessThan(until);
      const [first, second] = await voice.turns(2);
      expect(first?.interrupted).toBe(true);
      const { heardMs, stretches } = firstReply(await voice.recording(), second);
      console.log(`heard ${heardMs.toFixed(1)} ms, truncated at ${truncatedAtMs()} ms`);
      expect(Math.abs(heardMs - (truncatedAtMs() ?? 0))).toBeLessThan(20 * stretches);
    },
  );
});
