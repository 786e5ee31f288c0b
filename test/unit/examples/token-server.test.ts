/** The token server against vendors on loopback that are strict about what they are asked. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTokenServer } from '../../../examples/token-server/token-server.mjs';
import { vendorsFrom } from '../../../examples/token-server/vendors.mjs';

const origin = 'https://page.example';
const key = 'sk-very-secret-key-0123456789';
const servers: Server[] = [];

async function listen(server: Server): Promise<string> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map(async (server) => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }),
  );
});

interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

/** A vendor that answers every request alike. */
async function vendor(
  status: number,
  answer: unknown,
): Promise<{ readonly url: string; readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  const url = await listen(
    createServer((request, response) => {
      void (async () => {
        let text = '';
        for await (const chunk of request) text += String(chunk);
        const body = JSON.parse(text) as Record<string, unknown>;
        asked.push({ path: request.url ?? '', headers: request.headers, body });
        if (status !== 0) response.writeHead(status).end(JSON.stringify(answer));
      })();
    }),
  );
  return { url, asked };
}

const nowMs = Date.UTC(2026, 10, 25);

/** The token server before a vendor; `log` has what it logged. */
async function tokens(
  url: string,
  options: Partial<Parameters<typeof createTokenServer>[0]> = {},
): Promise<{ readonly url: string; readonly log: string[] }> {
  const log: string[] = [];
  const env = {
    OPENAI_API_KEY: key,
    OPENAI_REALTIME_MODEL: 'gpt-realtime-2.1-mini',
    OPENAI_URL: url,
    GEMINI_API_KEY: key,
    GEMINI_LIVE_MODEL: 'gemini-3.8-live',
    GEMINI_URL: url,
    ELEVENLABS_API_KEY: key,
    ELEVENLABS_URL: url,
    DEEPGRAM_API_KEY: key,
    DEEPGRAM_URL: url,
  };
  const server = createTokenServer({
    vendors: vendorsFrom(env, () => nowMs),
    allowedOrigins: [origin],
    log: (line) => log.push(line),
    ...options,
  });
  return { url: await listen(server), log };
}

const ask = (url: string, init: RequestInit = {}): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { origin }, ...init });

describe('a token', () => {
  it('of OpenAI is a client secret for the one model, good for a minute', async () => {
    const { url, asked } = await vendor(200, { value: 'ek_abc', expires_at: 1_800_000_000 });
    const server = await tokens(url);
    const response = await ask(`${server.url}/openai-realtime`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ token: 'ek_abc', expiresAtMs: 1_800_000_000_000 });
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(asked).toMatchObject([
      {
        path: '/v1/realtime/client_secrets',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: {
          expires_after: { anchor: 'created_at', seconds: 60 },
          session: { type: 'realtime', model: 'gpt-realtime-2.1-mini' },
        },
      },
    ]);
  });

  it('of Gemini is a name, for one use of one model', async () => {
    const { url, asked } = await vendor(200, { name: 'auth_tokens/abc' });
    const server = await tokens(url);
    expect(await (await ask(`${server.url}/gemini-live`)).json()).toEqual({
      token: 'auth_tokens/abc',
      expiresAtMs: nowMs + 60_000,
    });
    expect(asked).toMatchObject([
      {
        path: '/v1alpha/auth_tokens',
        headers: { 'x-goog-api-key': key },
        body: {
          uses: 1,
          newSessionExpireTime: '2026-11-25T00:01:00.000Z',
          expireTime: '2026-11-25T00:30:00.000Z',
          bidiGenerateContentSetup: { model: 'models/gemini-3.8-live' },
          fieldMask: 'model',
        },
      },
    ]);
  });

  it.each([
    [
      '/elevenlabs-scribe',
      { token: 'once' },
      '/v1/single-use-token/realtime_scribe',
      'xi-api-key',
      key,
    ],
    [
      '/deepgram',
      { access_token: 'once', expires_in: 30 },
      '/v1/auth/grant',
      'authorization',
      `Token ${key}`,
    ],
  ])('of %s is asked for as the vendor wants it', async (path, answer, asksFor, header, value) => {
    const { url, asked } = await vendor(200, answer);
    const server = await tokens(url);
    expect(await (await ask(server.url + path)).json()).toMatchObject({ token: 'once' });
    expect(asked[0]?.path).toBe(asksFor);
    expect(asked[0]?.headers[header]).toBe(value);
  });
});

describe('whoever asks', () => {
  it('from another page, or from none, gets nothing, and the vendor is not asked', async () => {
    const { url, asked } = await vendor(200, { value: 'ek_abc' });
    const server = await tokens(url);
    for (const headers of [{ origin: 'https://evil.example' }, { origin: `${origin}.evil` }, {}]) {
      const response = await ask(`${server.url}/openai-realtime`, { headers });
      expect(response.status).toBe(403);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
    expect(asked).toEqual([]);
  });

  it('from a page of ours may ask beforehand whether it may', async () => {
    const { url } = await vendor(200, {});
    const server = await tokens(url);
    const response = await ask(`${server.url}/openai-realtime`, { method: 'OPTIONS' });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-methods')).toBe('POST');
    expect(response.headers.get('vary')).toBe('origin');
  });

  it('too often has to wait, others not', async () => {
    let ms = 0;
    const { url, asked } = await vendor(200, { value: 'ek_abc' });
    const server = await tokens(url, { perMinute: 2, trustProxy: true, now: () => ms });
    const from = async (client: string): Promise<Response> =>
      ask(`${server.url}/openai-realtime`, {
        headers: { origin, 'x-forwarded-for': `1.1.1.1, ${client}` },
      });
    expect((await from('a')).status).toBe(200);
    expect((await from('a')).status).toBe(200);
    const refused = await from('a');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('30');
    expect((await from('b')).status).toBe(200);
    ms = 30_000;
    expect((await from('a')).status).toBe(200);
    expect((await from('a')).status).toBe(429);
    expect(asked).toHaveLength(4);
  });

  it('can not pretend to be many where no proxy is trusted', async () => {
    const { url } = await vendor(200, { value: 'ek_abc' });
    const server = await tokens(url, { perMinute: 1 });
    const statuses = [];
    for (const client of ['a', 'b']) {
      const headers = { origin, 'x-forwarded-for': client };
      statuses.push((await ask(`${server.url}/openai-realtime`, { headers })).status);
    }
    expect(statuses).toEqual([200, 429]);
  });

  it.each([
    ['for something else', '/other', {}, 404],
    ['for what only objects have', '/toString', {}, 404],
    ['in another way', '/openai-realtime', { method: 'GET' }, 405],
    ['with much to say', '/openai-realtime', { body: 'x'.repeat(5000) }, 413],
  ])('%s is told so', async (_, path, init, status) => {
    const { url, asked } = await vendor(200, { value: 'ek_abc' });
    const server = await tokens(url);
    expect((await ask(server.url + path, init)).status).toBe(status);
    expect(asked).toEqual([]);
  });

  it('may have to log in', async () => {
    const { url, asked } = await vendor(200, { value: 'ek_abc' });
    const authorize = vi.fn(() => false);
    const server = await tokens(url, { authorize });
    expect((await ask(`${server.url}/openai-realtime`)).status).toBe(401);
    expect(authorize).toHaveBeenCalledTimes(1);
    expect(asked).toEqual([]);
  });
});

describe('trouble with the vendor', () => {
  it.each([
    ['a refusal that repeats the key', 401, { error: `bad key ${key}` }, 502],
    ['no token', 200, { value: '' }, 502],
    ['no answer', 0, {}, 504],
  ])('is told without a secret: %s', async (_, status, answer, expected) => {
    const { url } = await vendor(status, answer);
    const server = await tokens(url, { timeoutMs: 200 });
    const response = await ask(`${server.url}/openai-realtime`);
    expect(response.status).toBe(expected);
    expect(await response.text()).not.toContain(key);
    expect(server.log).toEqual([`POST /openai-realtime ${expected}`]);
  });

  it('of another kind too: nobody there', async () => {
    const server = await tokens('http://127.0.0.1:1');
    expect((await ask(`${server.url}/openai-realtime`)).status).toBe(502);
  });
});

describe('the environment', () => {
  it('decides which tokens there are', () => {
    expect(Object.keys(vendorsFrom({}))).toEqual([]);
    expect(Object.keys(vendorsFrom({ OPENAI_API_KEY: key }))).toEqual([]);
    expect(Object.keys(vendorsFrom({ DEEPGRAM_API_KEY: key }))).toEqual(['/deepgram']);
  });
});
