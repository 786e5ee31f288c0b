import { type IncomingMessage, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeWav } from '../../../src/audio/wav.ts';
import {
  type RemoteRecognizerOptions,
  remoteRecognizer,
} from '../../../src/speech/stt/remote-recognizer.ts';

interface Seen {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly fields: FormData;
}

/** What the server answers: status, body, headers; `hang` never does. */
type Answer =
  | readonly [status: number, body: string, headers?: Record<string, string>]
  | 'hang'
  | 'cut';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function readForm(request: IncomingMessage): Promise<FormData> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of request) chunks.push(new Uint8Array(chunk as Buffer));
  const headers = { 'content-type': request.headers['content-type'] ?? '' };
  return new Response(new Blob(chunks), { headers }).formData();
}

/** A real server with one answer, and a recogniser that asks it. */
async function serve(
  answer: Answer,
  options: Partial<RemoteRecognizerOptions> = {},
): Promise<{ seen: Seen[]; arrived: Promise<void>; ask: ReturnType<typeof remoteRecognizer> }> {
  const seen: Seen[] = [];
  let arrive: () => void = () => undefined;
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  server = createServer((request, response) => {
    void readForm(request).then((fields) => {
      const { url = '', headers } = request;
      seen.push({ path: url, authorization: headers.authorization, fields });
      arrive();
      if (answer === 'hang') return;
      if (answer === 'cut') {
        request.socket.destroy();
        return;
      }
      const [status, body, extra] = answer;
      response.writeHead(status, { 'content-type': 'application/json', ...extra }).end(body);
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const baseURL = `http://127.0.0.1:${port}/v1/`;
  return { seen, arrived, ask: remoteRecognizer({ baseURL, model: 'whisper-1', ...options }) };
}

const hum = Float32Array.from({ length: 8000 }, (_, i) => 0.5 * Math.sin(i / 10));

describe('remoteRecognizer', () => {
  it('posts a WAV file with model and language, and gives the text', async () => {
    const { ask, seen } = await serve([200, '{"text":" Hello there. "}'], {
      token: () => Promise.resolve('short-lived'),
      language: 'en',
      prompt: 'Antiphon',
    });
    await expect(ask.transcribe(hum)).resolves.toEqual({
      text: 'Hello there.',
      words: [],
      confidence: 1,
    });
    const [request] = seen;
    expect(request?.path).toBe('/v1/audio/transcriptions');
    expect(request?.authorization).toBe('Bearer short-lived');
    const file = request?.fields.get('file');
    if (!(file instanceof Blob)) throw new Error('no file was sent');
    const { samples, sampleRate } = decodeWav(await file.arrayBuffer());
    expect([samples.length, sampleRate]).toEqual([8000, 16_000]);
    expect(samples[100]).toBeCloseTo(hum[100] ?? 0, 3);
    const fields = ['model', 'language', 'prompt', 'response_format'];
    expect(fields.map((name) => request?.fields.get(name))).toEqual([
      'whisper-1',
      'en',
      'Antiphon',
      'json',
    ]);
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
    const { ask, seen } = await serve([200, JSON.stringify(body)], {
      responseFormat: 'verbose_json',
    });
    const heard = await ask.transcribe(hum);
    expect(heard.words[1]).toEqual({ text: 'day', start: 500, end: 900 });
    expect(heard.confidence).toBeCloseTo(0.8, 5);
    expect(seen[0]?.fields.get('timestamp_granularities[]')).toBe('word');
  });

  it('sends silence to nobody', async () => {
    const { ask, seen } = await serve([200, '{"text":"Thanks for watching!"}']);
    await expect(ask.transcribe(new Float32Array(16_000))).resolves.toMatchObject({ text: '' });
    await expect(ask.transcribe(hum.slice(0, 100))).resolves.toMatchObject({ text: '' });
    expect(seen).toHaveLength(0);
  });

  it.each<[string, Answer, object]>([
    [
      'a bad token',
      [401, '{"error":{"message":"no"}}'],
      { code: 'provider-auth', retryable: false },
    ],
    ['no access', [403, ''], { code: 'provider-auth' }],
    [
      'too many requests',
      [429, '{"error":{"message":"slow down"}}', { 'retry-after': '2' }],
      { code: 'provider-rate-limit', retryable: true, details: { retryAfterMs: 2000 } },
    ],
    ['a failing server', [503, 'busy'], { code: 'provider-overloaded', retryable: true }],
    [
      'a wrong address',
      [404, '<html>'],
      { code: 'provider-request', hint: expect.stringContaining('/audio/transcriptions') },
    ],
    ['a refused file', [400, '{"error":{"message":"too short"}}'], { code: 'provider-request' }],
    ['a page', [200, '<!doctype html>'], { code: 'provider-protocol', retryable: false }],
    ['an answer without text', [200, '{"ok":true}'], { code: 'provider-protocol' }],
    ['a cut connection', 'cut', { code: 'provider-network', retryable: true }],
  ])('names %s', async (_what, answer, error) => {
    const { ask } = await serve(answer);
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
    const { ask, arrived } = await serve('hang');
    const aborted = { code: 'aborted' };
    await expect(ask.transcribe(hum, { signal: AbortSignal.abort() })).rejects.toMatchObject(
      aborted,
    );
    const controller = new AbortController();
    const waiting = ask.transcribe(hum, { signal: controller.signal });
    await arrived;
    controller.abort();
    await expect(waiting).rejects.toMatchObject(aborted);
  });

  it('gives up on a server that never answers', async () => {
    const { ask } = await serve('hang', { timeoutMs: 30 });
    await expect(ask.transcribe(hum)).rejects.toMatchObject({ code: 'provider-timeout' });
  });

  it('refuses samples that are none before it sends anything', async () => {
    const { ask, seen } = await serve([200, '{"text":"never"}']);
    await expect(ask.transcribe(Float32Array.of(Number.NaN))).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    expect(seen).toHaveLength(0);
  });
});
