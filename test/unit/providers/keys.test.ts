/** Keys and tokens: which are refused in a page, and that none shows anywhere. */
import { describe, expect, it, vi, type MockInstance } from 'vitest';
import { element, textMessage } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { anthropic } from '../../../src/providers/anthropic.ts';
import { gemini } from '../../../src/providers/gemini.ts';
import { refuseKeyInAddress, refuseLongLivedKey } from '../../../src/providers/http/api-key.ts';
import { isLongLivedKey, querySecrets } from '../../../src/providers/http/key-shapes.ts';
import { redact } from '../../../src/providers/http/redact.ts';
import { openAICompatible } from '../../../src/providers/openai-compatible.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import { defineTool } from '../../../src/providers/define-tool.ts';
import { memoryStore } from '../../../src/state/memory-store.ts';
import { ProviderStage } from '../../../src/stages/conversation/provider-stage.ts';
import { StateStoreSaveStage } from '../../../src/stages/conversation/state-store-save-stage.ts';
import { TracingStage } from '../../../src/stages/flow/tracing-stage.ts';
import { DebugStage } from '../../../src/stages/utility/debug-stage.ts';

const alphabet = 'aB3dE5gH7jK9mN1pQ';
/** So many characters of a made-up key. */
const key = (length: number): string => alphabet.repeat(10).slice(0, length);
const hex = (length: number): string => '0f1e2d3c'.repeat(10).slice(0, length);

const marked: Readonly<Record<string, string>> = {
  OpenAI: `sk-proj-${key(40)}`,
  'OpenAI service account': `sk-svcacct-${key(40)}`,
  Anthropic: `sk-ant-api03-${key(80)}`,
  OpenRouter: `sk-or-v1-${hex(64)}`,
  Google: `AIza${key(35)}`,
  'Google, newer': `AQ.${key(50)}`,
  Groq: `gsk_${key(52)}`,
  xAI: `xai-${key(80)}`,
  'Hugging Face': `hf_${key(34)}`,
  ElevenLabs: `sk_${hex(48)}`,
  Cartesia: `sk_car_${key(22)}`,
  NVIDIA: `nvapi-${key(64)}`,
  Replicate: `r8_${key(37)}`,
  Perplexity: `pplx-${key(48)}`,
  Cerebras: `csk-${key(48)}`,
  Fireworks: `fw_${key(24)}`,
  AWS: 'AKIAIOSFODNN7EXAMPLE',
  GitHub: `github_pat_${key(60)}`,
};

const unmarked: readonly (readonly [vendor: string, key: string, address: string])[] = [
  ['Mistral', key(32), 'https://api.mistral.ai/v1/chat/completions'],
  ['Deepgram', hex(40), 'wss://api.deepgram.com/v1/listen'],
  ['ElevenLabs, older', hex(32), 'https://api.elevenlabs.io/v1/text-to-speech'],
  ['AssemblyAI', hex(32), 'wss://streaming.assemblyai.com/v3/ws'],
  ['Together', hex(64), 'https://api.together.xyz/v1'],
  ['Cohere', key(40), 'https://api.cohere.com/v2/chat'],
  ['Azure', hex(32), 'https://mine.openai.azure.com/openai'],
];

describe('a key that lives long', () => {
  it.each(Object.entries(marked))('is known wherever it stands: %s', (_, secret) => {
    for (const credential of [secret, `Bearer ${secret}`, `openai-insecure-api-key.${secret}`])
      expect(isLongLivedKey(credential)).toBe(true);
    const address = `https://host/v1?alt=sse&key=${secret}`;
    expect(() => refuseKeyInAddress(address, false, true)).toThrow(
      expect.objectContaining({ code: 'provider-auth', hint: expect.stringContaining('token') }),
    );
    expect(redact(`Incorrect key ${secret}.`, [])).not.toContain(secret);
  });

  it.each(unmarked)('without a mark is known at its vendor: %s', (_, secret, address) => {
    expect(isLongLivedKey(secret, address)).toBe(true);
    expect(isLongLivedKey(`Token ${secret}`, address)).toBe(true);
    expect(isLongLivedKey(secret, 'https://my.own.example/v1')).toBe(false);
    expect(isLongLivedKey(secret, '/api/chat')).toBe(false);
    expect(() => refuseKeyInAddress(`${address}?api_key=${secret}`, false, true)).toThrow();
  });

  it.each([
    'ollama',
    `ek_${hex(32)}`,
    `auth_tokens/${hex(64)}`,
    `ya29.${key(60)}`,
    `eyJ${key(20)}.${key(40)}.${key(30)}`,
    `sutkn_${key(20)}`,
    `session-${hex(64)}`,
    'task-list-of-the-whole-family',
    'risk-assessment-of-everything',
  ])('is not taken for a token that passes, nor the reverse: %s', (token) => {
    expect(isLongLivedKey(token)).toBe(false);
    expect(() => refuseLongLivedKey(token, false, true)).not.toThrow();
  });

  it('is refused by no server, and in a page only until somebody calls it dangerous', () => {
    const secret = marked['OpenAI'] ?? '';
    expect(() => refuseLongLivedKey(secret, false, false)).not.toThrow();
    expect(() => refuseLongLivedKey(secret, true, true)).not.toThrow();
    expect(() => refuseLongLivedKey(secret, false, true)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(secret) }),
    );
  });

  it.each([
    ['as a string', { token: `sk-${key(40)}` }],
    ['from a function', { token: () => `sk-${key(40)}` }],
    ['from a promise', { token: async () => `sk-${key(40)}` }],
    ['in a header', { headers: { 'x-api-key': `sk-${key(40)}` } }],
    ['in the address', { baseURL: `https://host/v1?key=AIza${key(35)}` }],
    ['without a mark', { baseURL: 'https://api.mistral.ai/v1', token: () => key(32) }],
  ])('never leaves a page: %s', async (_, options) => {
    vi.stubGlobal('document', {});
    const fetch = vi.fn();
    const ask = async (): Promise<void> => {
      const provider = openAICompatible({
        baseURL: 'https://host/v1',
        model: 'm',
        fetch,
        ...options,
      });
      const request = { system: '', messages: [textMessage('user', 'Hi')], tools: [] };
      const { signal } = new AbortController();
      for await (const part of provider.stream(request, { signal })) expect(part).toBeUndefined();
    };
    try {
      await expect(ask()).rejects.toMatchObject({ code: 'provider-auth' });
      expect(fetch).not.toHaveBeenCalled();
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe('secrets in an address', () => {
  it('are its values that look or are called like one', () => {
    expect(querySecrets('https://h/p?alt=sse&key=abc&x=y#key=z')).toEqual(['abc']);
    expect(querySecrets(`wss://h?v=${key(24)}&access_token=t%2Fu`)).toEqual([key(24), 't/u']);
    expect(querySecrets('/api/chat')).toEqual([]);
  });
});

/** A server that repeats every secret it was given, in each of the ways servers fail. */
function tattling(status: number): typeof fetch {
  return async (input, init) => {
    const { url } = new Request(input);
    const told = `${url} ${JSON.stringify(init?.headers)}`;
    if (status === 0) throw new TypeError(`failed to fetch ${told}`);
    const body = { error: { message: `refused: ${told}`, code: told, type: told } };
    if (status === 200)
      return new Response(`data: ${JSON.stringify(body)}\n\n`, {
        headers: { 'content-type': 'text/event-stream' },
      });
    return new Response(JSON.stringify(body), { status });
  };
}

const planted = {
  token: 'short-lived-7f3a9c21e5',
  header: 'tenant-secret-55d0e1',
  query: 'query-secret-a81b3c',
  vendor: `sk-${key(40)}`,
};

describe('a secret', () => {
  const vendors: Readonly<Record<string, (fetch: typeof globalThis.fetch) => Provider>> = {
    'openai-compatible': (fetch) =>
      openAICompatible({ ...common, baseURL: `https://h/v1?token=${planted.query}`, fetch }),
    anthropic: (fetch) =>
      anthropic({ ...common, baseURL: `https://h/v1?token=${planted.query}`, fetch }),
    gemini: (fetch) => gemini({ ...common, baseURL: `https://h/v1?token=${planted.query}`, fetch }),
  };
  const common = {
    model: 'm',
    token: () => planted.token,
    headers: { 'x-tenant': planted.header },
    retry: { attempts: 1 },
  };

  it.each(
    Object.keys(vendors).flatMap((vendor) =>
      [0, 200, 401, 429, 500].map((status) => [vendor, status] as const),
    ),
  )('of %s shows in no output when the server answers %i', async (vendor, status) => {
    const make = vendors[vendor];
    if (!make) throw new Error('no such vendor');
    const console_: MockInstance[] = (['log', 'warn', 'error', 'info', 'debug'] as const).map(
      (level) => vi.spyOn(console, level).mockImplementation(() => undefined),
    );
    const store = memoryStore();
    const attributes: unknown[] = [];
    const tracer = {
      startSpan: (...started: unknown[]) => {
        attributes.push(started);
        return {
          spanContext: () => ({ traceId: '1'.repeat(32), spanId: '2'.repeat(16) }),
          setAttribute: (...set: unknown[]) => attributes.push(set),
          setStatus: (...set: unknown[]) => attributes.push(set),
          end: () => undefined,
        };
      },
    };
    const failing = defineTool({
      name: 'failing',
      description: '',
      parameters: {},
      execute: () => {
        throw new Error(`Incorrect API key ${planted.vendor}`);
      },
    });
    const stage = new ProviderStage({
      provider: once(make(tattling(status)), failing.name),
      tools: [failing],
    });
    const traced = new TracingStage(stage, { tracer });
    const run = new PipelineBuilder()
      .chain(
        traced,
        new DebugStage({ label: 'all', previewLength: 10_000 }),
        new StateStoreSaveStage({ store, conversation: 'c' }),
      )
      .build()
      .execute([element('message', { message: textMessage('user', 'Hi'), turn: 1 })]);
    const seen: unknown[] = [];
    run.on((event) => seen.push(event));
    try {
      for await (const item of run) seen.push(item);
      const logged = console_.flatMap((spy) => spy.mock.calls);
      expect(logged.length).toBeGreaterThan(3);
      const everything = [
        seen,
        logged,
        attributes,
        traced.recorder.spans,
        traced.recorder.toChromeTrace(),
        await store.load('c'),
      ];
      const text = JSON.stringify(everything);
      expect(text).toContain('"error"');
      for (const secret of Object.values(planted)) {
        expect(text).not.toContain(secret);
        expect(text).not.toContain(encodeURIComponent(secret));
      }
    } finally {
      for (const spy of console_) spy.mockRestore();
    }
  });
});

/** The provider, behind a first answer that calls a tool. */
function once(provider: Provider, name: string): Provider {
  let asked = 0;
  return {
    id: provider.id,
    async *stream(request, options) {
      asked += 1;
      if (asked > 1) {
        yield* provider.stream(request, options);
        return;
      }
      yield { type: 'tool-call', call: { id: 'c', name, arguments: {} } };
      yield { type: 'finish', reason: 'tool-calls' };
    },
  };
}
