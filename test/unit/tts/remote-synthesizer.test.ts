import { describe, expect, it } from 'vitest';
import {
  remoteSynthesizer,
  type RemoteSynthesizerOptions,
} from '../../../src/speech/tts/remote-synthesizer.ts';
import { pcmReply, speechServer } from '../../../src/testing/servers/index.ts';

interface Request {
  readonly url: string;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** A voice whose server answers with `answer`, and what it was asked. */
function voiceAt(
  answer: (request: Request, signal: AbortSignal) => Response | Promise<Response>,
  options: Partial<RemoteSynthesizerOptions> = {},
): { readonly voice: ReturnType<typeof remoteSynthesizer>; readonly asked: Request[] } {
  const asked: Request[] = [];
  const voice = remoteSynthesizer({
    baseURL: 'https://voice.example/v1/',
    model: 'kokoro',
    voice: 'heart',
    fetch: async (url, init) => {
      const request = {
        url: url as string,
        headers: new Headers(init?.headers),
        body: JSON.parse(init?.body as string) as Record<string, unknown>,
      };
      asked.push(request);
      return answer(request, init?.signal ?? new AbortController().signal);
    },
    ...options,
  });
  return { voice, asked };
}

/** Half a second of a loud tone with 0.2 s of silence around it, as raw PCM at 24 kHz. */
function pcm(): Uint8Array<ArrayBuffer> {
  const samples = Int16Array.from({ length: 21_600 }, (_, i) =>
    i < 4_800 || i >= 16_800 ? 0 : i % 2 === 0 ? 9_000 : -9_000,
  );
  return new Uint8Array(samples.buffer);
}

/** `pcm()` in pieces that split samples in half. */
function pieces(): ReadableStream<Uint8Array> {
  const bytes = pcm();
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 999)
        controller.enqueue(bytes.subarray(at, at + 999));
      controller.close();
    },
  });
}

function wav(): Uint8Array<ArrayBuffer> {
  const data = pcm();
  const head = new DataView(new ArrayBuffer(44));
  const ascii = (at: number, text: string): void => {
    for (let i = 0; i < text.length; i += 1) head.setUint8(at + i, text.charCodeAt(i));
  };
  ascii(0, 'RIFF');
  head.setUint32(4, 0xffffffff, true);
  ascii(8, 'WAVEfmt ');
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true);
  head.setUint16(22, 1, true);
  head.setUint32(24, 12_000, true);
  head.setUint16(32, 2, true);
  head.setUint16(34, 16, true);
  ascii(36, 'data');
  head.setUint32(40, 0xffffffff, true);
  const file = new Uint8Array(44 + data.length);
  file.set(new Uint8Array(head.buffer));
  file.set(data, 44);
  return file;
}

describe('a remote voice', () => {
  it('asks for PCM of what is to be said, and gives the speech without the silence around it', async () => {
    const { voice, asked } = voiceAt(() => new Response(pieces()), { speed: 1.2, token: 'short' });
    const speech = await voice.synthesize('**Hello** you 😀');
    expect(asked[0]?.url).toBe('https://voice.example/v1/audio/speech');
    expect(asked[0]?.headers.get('authorization')).toBe('Bearer short');
    expect(asked[0]?.body).toEqual({
      model: 'kokoro',
      voice: 'heart',
      input: 'Hello you',
      response_format: 'pcm',
      speed: 1.2,
    });
    expect(speech.sampleRate).toBe(24_000);
    expect(speech.samples.length / 24_000).toBeCloseTo(0.58, 2);
    expect(speech.marks.map((mark) => mark.text)).toEqual(['**Hello** ', 'you ', '😀']);
  });

  it('understands a WAV file, at the rate it says', async () => {
    const { voice } = voiceAt(() => new Response(wav()), { responseFormat: 'wav' });
    expect((await voice.synthesize('Hello.')).sampleRate).toBe(12_000);
  });

  it('is not asked to say nothing', async () => {
    const { voice, asked } = voiceAt(() => new Response(pcm()));
    const speech = await voice.synthesize(' *** 😀');
    expect(asked).toEqual([]);
    expect(speech.samples).toHaveLength(0);
    expect(speech.marks.map((mark) => mark.text).join('')).toBe(' *** 😀');
  });

  it('gives typed errors, retryable where that may help', async () => {
    const cases: readonly (readonly [Response, object])[] = [
      [
        new Response('{"error":{"message":"who?"}}', { status: 401 }),
        { code: 'provider-auth', retryable: false },
      ],
      [new Response('', { status: 429 }), { code: 'provider-rate-limit', retryable: true }],
      [new Response('', { status: 503 }), { code: 'provider-overloaded', retryable: true }],
      [
        new Response('', { status: 404 }),
        { code: 'provider-request', hint: expect.stringContaining('/audio/speech') },
      ],
      [new Response('', { status: 200 }), { code: 'provider-protocol' }],
      [
        new Response('{"ok":true}', { headers: { 'content-type': 'application/json' } }),
        { code: 'provider-protocol' },
      ],
      [
        new Response('ID3…', { headers: { 'content-type': 'audio/mpeg' } }),
        { code: 'provider-protocol' },
      ],
      [new Response(wav().subarray(0, 30)), { code: 'provider-protocol' }],
    ];
    for (const [response, error] of cases)
      await expect(voiceAt(() => response).voice.synthesize('Hello.')).rejects.toMatchObject(error);
  });

  it('reports a network that is gone, without the token', async () => {
    const { voice } = voiceAt(
      () => {
        throw new TypeError('failed for secret-token-1234');
      },
      { token: 'secret-token-1234' },
    );
    const error: unknown = await voice.synthesize('Hello.').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'provider-network', retryable: true });
    expect(JSON.stringify([String(error), (error as Error).cause])).not.toContain('secret-token');
  });

  it('closes the request when it is interrupted', async () => {
    const controller = new AbortController();
    let closed = false;
    const { voice } = voiceAt(
      (_request, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            closed = true;
            reject(signal.reason as Error);
          });
          controller.abort();
        }),
    );
    await expect(voice.synthesize('Hello.', { signal: controller.signal })).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(closed).toBe(true);
  });

  it('speaks over real sockets, in chunks that split samples, and closes one that is interrupted', async () => {
    const bytes = pcm();
    const server = await speechServer({
      token: 't',
      replies: [
        pcmReply(bytes.subarray(0, 999), bytes.subarray(999, 20_001), bytes.subarray(20_001)),
        { steps: ['begun', { gate: 'never' }] },
      ],
    });
    try {
      const voice = remoteSynthesizer({
        baseURL: server.baseURL,
        model: 'kokoro',
        voice: 'heart',
        token: () => 't',
        speed: 1.2,
        instructions: 'Calmly.',
      });
      const { samples, sampleRate } = await voice.synthesize('Hello there.');
      expect(sampleRate).toBe(24_000);
      expect(samples.filter((sample) => Math.abs(sample) > 0.2)).toHaveLength(12_000);
      const controller = new AbortController();
      const waiting = voice.synthesize('Again.', { signal: controller.signal });
      await server.gates.reached('never');
      controller.abort();
      await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
      expect(await server.requests[1]?.ended).toBe('cut');
      expect(server.violations).toEqual([]);
    } finally {
      await server.close();
    }
  });
});
