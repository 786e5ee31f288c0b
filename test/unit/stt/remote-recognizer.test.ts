import { afterEach, describe, expect, it } from 'vitest';
import { decodeWav } from '../../../src/audio/wav.ts';
import {
  type RemoteRecognizerOptions,
  remoteRecognizer,
} from '../../../src/speech/stt/remote-recognizer.ts';
import {
  transcriptionReply,
  transcriptionServer,
  type LoopbackServer,
  type Reply,
} from '../../../src/testing/servers/index.ts';

const servers: LoopbackServer[] = [];
afterEach(async () => {
  const stopped = servers.splice(0);
  await Promise.all(stopped.map((server) => server.close()));
  expect(stopped.flatMap(({ violations }) => violations)).toEqual([]);
});

/** A strict server with one answer, and a recogniser that asks it. */
async function serve(
  answer: Reply,
  options: Partial<RemoteRecognizerOptions> = {},
): Promise<{ server: LoopbackServer; ask: ReturnType<typeof remoteRecognizer> }> {
  const server = await transcriptionServer({ replies: [answer] });
  servers.push(server);
  const baseURL = `${server.baseURL}/`;
  return { server, ask: remoteRecognizer({ baseURL, model: 'whisper', ...options }) };
}

const answer = (status: number, body: string, headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  steps: [body],
});
const hang: Reply = { steps: [{ gate: 'never' }] };

const hum = Float32Array.from({ length: 8000 }, (_, i) => 0.5 * Math.sin(i / 10));

describe('remoteRecognizer', () => {
  it('posts a WAV file with model and language, and gives the text', async () => {
    const { ask, server } = await serve(transcriptionReply(' Hello there. '), {
      token: () => Promise.resolve('short-lived'),
      language: 'en',
      prompt: 'Antiphon',
    });
    await expect(ask.transcribe(hum)).resolves.toEqual({
      text: 'Hello there.',
      words: [],
      confidence: 1,
    });
    const [request] = server.requests;
    expect(request?.path).toBe('/v1/audio/transcriptions');
    expect(request?.headers['authorization']).toBe('Bearer short-lived');
    const { file, ...fields } = request!.body as Record<string, unknown>;
    if (!(file instanceof Blob)) throw new Error('no file was sent');
    const { samples, sampleRate } = decodeWav(await file.arrayBuffer());
    expect([samples.length, sampleRate]).toEqual([8000, 16_000]);
    expect(samples[100]).toBeCloseTo(hum[100] ?? 0, 3);
    expect(fields).toEqual({
      model: 'whisper',
      language: 'en',
      prompt: 'Antiphon',
      response_format: 'json',
    });
  });

  it('reads times of words and confidences of the verbose format', async () => {
    const body = {
      text: 'good day',
      words: [
        { word: 'good', start: 0.1, end: 0.4 },
        { word: 'day', start: 0.5, end: 0.9 },
      ],
      segments: [{ avg_logprob: Math.log(0.8) }],
    };
    const { ask, server } = await serve(answer(200, JSON.stringify(body)), {
      responseFormat: 'verbose_json',
    });
    const heard = await ask.transcribe(hum);
    expect(heard.words[1]).toEqual({ text: 'day', start: 500, end: 900 });
    expect(heard.confidence).toBeCloseTo(0.8, 5);
    expect(server.requests[0]?.body).toMatchObject({ 'timestamp_granularities[]': 'word' });
  });

  it('sends silence to nobody', async () => {
    const { ask, server } = await serve(transcriptionReply('Thanks for watching!'));
    await expect(ask.transcribe(new Float32Array(16_000))).resolves.toMatchObject({ text: '' });
    await expect(ask.transcribe(hum.slice(0, 100))).resolves.toMatchObject({ text: '' });
    expect(server.requests).toEqual([]);
  });

  it.each<[string, Reply, object]>([
    [
      'a bad token',
      answer(401, '{"error":{"message":"no"}}'),
      { code: 'provider-auth', retryable: false },
    ],
    ['no access', answer(403, ''), { code: 'provider-auth' }],
    [
      'too many requests',
      answer(429, '{"error":{"message":"slow down"}}', { 'retry-after': '2' }),
      { code: 'provider-rate-limit', retryable: true, details: { retryAfterMs: 2000 } },
    ],
    ['a failing server', answer(503, 'busy'), { code: 'provider-overloaded', retryable: true }],
    [
      'a wrong address',
      answer(404, '<html>'),
      { code: 'provider-request', hint: expect.stringContaining('/audio/transcriptions') },
    ],
    [
      'a refused file',
      answer(400, '{"error":{"message":"too short"}}'),
      { code: 'provider-request' },
    ],
    ['a page', answer(200, '<!doctype html>'), { code: 'provider-protocol', retryable: false }],
    ['an answer without text', answer(200, '{"ok":true}'), { code: 'provider-protocol' }],
    [
      'a cut connection',
      { steps: [{ fault: 'drop' }] },
      { code: 'provider-network', retryable: true },
    ],
  ])('names %s', async (_what, given, error) => {
    const { ask } = await serve(given);
    await expect(ask.transcribe(hum)).rejects.toMatchObject(error);
  });

  it('names a server that is not there', async () => {
    const recognizer = remoteRecognizer({ baseURL: 'http://127.0.0.1:9/v1', model: 'm' });
    await expect(recognizer.transcribe(hum)).rejects.toMatchObject({
      code: 'provider-network',
      retryable: true,
    });
  });

  it('stops when the signal aborts, before and while it waits', async () => {
    const { ask, server } = await serve(hang);
    const aborted = { code: 'aborted' };
    await expect(ask.transcribe(hum, { signal: AbortSignal.abort() })).rejects.toMatchObject(
      aborted,
    );
    const controller = new AbortController();
    const waiting = ask.transcribe(hum, { signal: controller.signal });
    await server.gates.reached('never');
    controller.abort();
    await expect(waiting).rejects.toMatchObject(aborted);
    expect(await server.requests[0]?.ended).toBe('cut');
  });

  it('gives up on a server that never answers', async () => {
    const { ask } = await serve(hang, { timeoutMs: 30 });
    await expect(ask.transcribe(hum)).rejects.toMatchObject({ code: 'provider-timeout' });
  });

  it('refuses samples that are none before it sends anything', async () => {
    const { ask, server } = await serve(transcriptionReply('never'));
    await expect(ask.transcribe(Float32Array.of(Number.NaN))).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    expect(server.requests).toEqual([]);
  });
});
