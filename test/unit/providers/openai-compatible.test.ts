import { afterEach, describe, expect, it } from 'vitest';
import { textMessage, type Message } from '../../../src/core/element.ts';
import { serializeError, type AntiphonError } from '../../../src/core/errors.ts';
import { refuseLongLivedKey } from '../../../src/providers/http/api-key.ts';
import {
  openAICompatible,
  type OpenAICompatibleOptions,
} from '../../../src/providers/openai-compatible.ts';
import type { ProviderPart, ProviderRequest } from '../../../src/providers/provider.ts';
import {
  chatDone,
  chatFrame,
  eventStream,
  openAIChatServer,
  refusal,
  sseData,
  sseEvent,
  type LoopbackServer,
  type Reply,
} from '../../../src/testing/servers/index.ts';

const servers: LoopbackServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const ask = (text = 'Hello'): ProviderRequest => ({
  system: '',
  messages: [textMessage('user', text)],
  tools: [],
});

/** Asks for the first part of a reply. */
function firstPart(
  options: Partial<OpenAICompatibleOptions> & { readonly baseURL: string },
  signal: AbortSignal = new AbortController().signal,
): Promise<IteratorResult<ProviderPart>> {
  const parts = openAICompatible({ model: 'm', ...options }).stream(ask(), { signal });
  return parts[Symbol.asyncIterator]().next();
}

interface Outcome {
  readonly parts: ProviderPart[];
  readonly text: string;
  readonly error: AntiphonError | undefined;
  readonly server: LoopbackServer;
}

/** Runs one request against a server that gives `answers`. */
async function exchange(
  answers: readonly Reply[],
  options: Partial<OpenAICompatibleOptions> = {},
  request: ProviderRequest = ask(),
): Promise<Outcome> {
  const server = await openAIChatServer({ replies: answers });
  servers.push(server);
  const provider = openAICompatible({
    baseURL: server.baseURL,
    model: 'm',
    retry: { baseDelayMs: 0 },
    ...options,
  });
  const parts: ProviderPart[] = [];
  let error: AntiphonError | undefined;
  try {
    for await (const part of provider.stream(request, { signal: new AbortController().signal }))
      parts.push(part);
  } catch (thrown) {
    error = thrown as AntiphonError;
  }
  return {
    parts,
    text: parts.map((part) => (part.type === 'text-delta' ? part.text : '')).join(''),
    error,
    server,
  };
}

/** Says nothing, not even headers. */
const silent = eventStream({ fault: 'stall' });

const hello = eventStream(chatFrame({ content: 'Hi' }), chatFrame({}, 'stop'), chatDone);

describe('what the server is sent', () => {
  it('is a streaming chat completion with nothing that was not asked for', async () => {
    const { server, error } = await exchange([hello]);
    expect(error).toBeUndefined();
    expect(server.requests[0]?.body).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(server.requests[0]?.headers['authorization']).toBeUndefined();
  });

  it('carries token, headers, limits, tools and the query of the base URL', async () => {
    const tool = { name: 'clock', description: 'The time.', parameters: { type: 'object' } };
    const server = await openAIChatServer({ replies: [hello] });
    servers.push(server);
    const provider = openAICompatible({
      baseURL: `${server.baseURL}/?api-version=7`,
      model: 'm',
      token: 'local',
      headers: { 'x-title': 'test' },
      temperature: 0.5,
    });
    const request = { ...ask(), system: 'Be brief.', tools: [tool], maxOutputTokens: 99 };
    for await (const part of provider.stream(request, { signal: new AbortController().signal }))
      void part;
    const [seen] = server.requests;
    expect(seen?.path).toBe('/v1/chat/completions');
    expect(seen?.query.get('api-version')).toBe('7');
    expect(seen?.headers).toMatchObject({ authorization: 'Bearer local', 'x-title': 'test' });
    expect(seen?.body).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
      ],
      temperature: 0.5,
      max_tokens: 99,
      tools: [{ type: 'function', function: tool }],
    });
  });

  it('maps calls, results, pictures and neighbouring user messages', async () => {
    const messages: Message[] = [
      textMessage('user', 'One'),
      textMessage('user', 'Two'),
      textMessage('assistant', '', {
        toolCalls: [{ id: 'c1', name: 'clock', arguments: { zone: 'UTC' } }],
      }),
      textMessage('tool', '12', { toolCallId: 'c1' }),
      textMessage('assistant', 'Noon.'),
      {
        ...textMessage('user', ''),
        parts: [
          { type: 'text', text: 'See' },
          { type: 'image', mediaType: 'image/png', data: new Uint8Array([1, 2]) },
        ],
      },
    ];
    const { server } = await exchange([hello], {}, { system: '', messages, tools: [] });
    expect(server.requests[0]?.body).toHaveProperty('messages', [
      { role: 'user', content: 'One\nTwo' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'clock', arguments: '{"zone":"UTC"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c1', content: '12' },
      { role: 'assistant', content: 'Noon.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'See' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AQI=' } },
        ],
      },
    ]);
  });

  it('has the fields of the vendor that were asked for', async () => {
    const { server } = await exchange([hello], { extraBody: { reasoning_effort: 'none' } });
    expect(server.requests[0]?.body).toMatchObject({ model: 'm', reasoning_effort: 'none' });
  });

  it('asks a token function anew for every attempt', async () => {
    let minted = 0;
    const { server } = await exchange([refusal(503, {}), hello], {
      token: async () => `ek_${(minted += 1)}`,
    });
    expect(server.requests.map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer ek_1',
      'Bearer ek_2',
    ]);
  });
});

describe('what the server streams', () => {
  it('becomes text, reasoning, usage and a finish', async () => {
    const { parts } = await exchange([
      eventStream(
        ': hello\n\n',
        chatFrame({ role: 'assistant', content: null }),
        chatFrame({ reasoning: 'Hm.' }),
        chatFrame({ reasoning_content: ' Hm!' }),
        chatFrame({ content: 'Good ' }),
        chatFrame({
          content: [
            { type: 'text', text: 'day' },
            { type: 'thinking', thinking: [{ type: 'text', text: '…' }] },
          ],
        }),
        chatFrame({}, 'length'),
        sseData({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } }),
        chatDone,
      ),
    ]);
    expect(parts).toEqual([
      { type: 'reasoning-delta', text: 'Hm.' },
      { type: 'reasoning-delta', text: ' Hm!' },
      { type: 'text-delta', text: 'Good ' },
      { type: 'reasoning-delta', text: '…' },
      { type: 'text-delta', text: 'day' },
      { type: 'finish', reason: 'length', usage: { inputTokens: 3, outputTokens: 2 } },
    ]);
  });

  it('may hold a whole call in one delta, with text and finish beside it', async () => {
    const call = {
      index: 0,
      id: 'c1',
      type: 'function',
      function: { name: 'add', arguments: '{"a":1}' },
    };
    const { parts } = await exchange([
      eventStream(chatFrame({ content: 'So', tool_calls: [call] }, 'stop'), chatDone),
    ]);
    expect(parts).toEqual([
      { type: 'text-delta', text: 'So' },
      { type: 'tool-call', call: { id: 'c1', name: 'add', arguments: { a: 1 } } },
      { type: 'finish', reason: 'tool-calls' },
    ]);
  });

  it('may interleave two calls in fragments of one character, the name last', async () => {
    const pieces = Array.from('{"n":12}').flatMap((character) =>
      [0, 1].map((index) =>
        chatFrame({ tool_calls: [{ index, function: { arguments: character } }] }),
      ),
    );
    const names = [0, 1].map((index) =>
      chatFrame({ tool_calls: [{ index, id: `c${index}`, function: { name: `f${index}` } }] }),
    );
    const { parts } = await exchange([
      eventStream(...pieces, ...names, chatFrame({}, 'tool_calls'), chatDone),
    ]);
    expect(parts).toEqual([
      { type: 'tool-call', call: { id: 'c0', name: 'f0', arguments: { n: 12 } } },
      { type: 'tool-call', call: { id: 'c1', name: 'f1', arguments: { n: 12 } } },
      { type: 'finish', reason: 'tool-calls' },
    ]);
  });

  it('may number all its calls 0: another id and name is another call', async () => {
    const call = (id: string, name: string, args: string): string =>
      chatFrame({
        tool_calls: [{ index: 0, id, type: 'function', function: { name, arguments: args } }],
      });
    const { parts } = await exchange([
      eventStream(
        call('a', 'clock', '{"zone":'),
        chatFrame({ tool_calls: [{ index: 0, function: { arguments: '"UTC"}' } }] }),
        call('b', 'date', '{}'),
        // Some servers make up an id for every fragment.
        chatFrame({ tool_calls: [{ index: 0, id: 'c', function: { arguments: '' } }] }),
        chatFrame({}, 'tool_calls'),
        chatDone,
      ),
    ]);
    expect(parts.slice(0, -1)).toEqual([
      { type: 'tool-call', call: { id: 'a', name: 'clock', arguments: { zone: 'UTC' } } },
      { type: 'tool-call', call: { id: 'b', name: 'date', arguments: {} } },
    ]);
  });

  it('may carry what the server wants back with a call', async () => {
    const extra_content = { google: { thought_signature: 'sealed' } };
    const body = { id: 'a', type: 'function', function: { name: 'clock', arguments: '{}' } };
    const reply = eventStream(
      chatFrame({ tool_calls: [{ index: 0, ...body, extra_content }] }),
      chatFrame({}, 'stop'),
      chatDone,
    );
    const server = await openAIChatServer({ replies: [reply, hello] });
    servers.push(server);
    const provider = openAICompatible({ baseURL: server.baseURL, model: 'm' });
    const { signal } = new AbortController();
    const parts: ProviderPart[] = [];
    for await (const part of provider.stream(ask(), { signal })) parts.push(part);
    const toolCalls = parts.flatMap((part) => (part.type === 'tool-call' ? [part.call] : []));
    const messages = [
      textMessage('user', 'When?'),
      textMessage('assistant', '', { toolCalls }),
      textMessage('tool', 'noon', { toolCallId: 'a' }),
    ];
    for await (const part of provider.stream({ ...ask(), messages }, { signal })) void part;
    expect(server.violations).toEqual([]);
    expect(server.requests[1]?.body).toMatchObject({
      messages: [{}, { tool_calls: [{ ...body, extra_content }] }, {}],
    });
    // Another server knows nothing of it, and may refuse it.
    const other = await exchange([hello], {}, { ...ask(), messages });
    expect(JSON.stringify(other.server.requests[0]?.body)).not.toContain('sealed');
  });

  it('may leave out index and id, and write arguments that are not JSON', async () => {
    const first = { function: { name: 'f', arguments: '{"a":' } };
    const { parts } = await exchange([
      eventStream(
        chatFrame({ tool_calls: [first] }),
        chatFrame({ tool_calls: [{ function: { arguments: '1' } }] }),
        chatFrame({}, 'tool_calls'),
        chatDone,
      ),
    ]);
    expect(parts[0]).toMatchObject({ type: 'tool-call', call: { name: 'f', arguments: '{"a":1' } });
    expect((parts[0] as { call: { id: string } }).call.id).not.toBe('');
  });

  it('may end without [DONE], with a half frame, and with a refusal', async () => {
    const last = chatFrame({ refusal: 'I may not.' }, 'stop').trimEnd();
    const { parts, error } = await exchange([eventStream(last)]);
    expect(error).toBeUndefined();
    expect(parts).toEqual([
      { type: 'text-delta', text: 'I may not.' },
      { type: 'finish', reason: 'content-filter' },
    ]);
  });

  it('may be a whole completion in one JSON body', async () => {
    const body = {
      choices: [{ message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
    };
    expect((await exchange([refusal(200, body)])).parts).toEqual([
      { type: 'text-delta', text: 'Hi' },
      { type: 'finish', reason: 'stop' },
    ]);
  });
});

describe('trouble in the middle', () => {
  const begun = chatFrame({ content: 'Once upon' });

  it('takes an end without a finish for a cut', async () => {
    const { text, error } = await exchange([eventStream(begun)]);
    expect(text).toBe('Once upon');
    expect(error).toMatchObject({ code: 'provider-network' });
  });

  it.each([
    [
      'an error object',
      sseData({ error: { code: 500, message: 'CUDA out of memory', type: 'server_error' } }),
      'provider-overloaded',
    ],
    [
      'an error event',
      sseEvent('error', { message: 'overloaded', type: 'overloaded_error' }),
      'provider-overloaded',
    ],
    [
      'a full context',
      sseData({
        error: {
          message: 'the request exceeds the available context size',
          type: 'exceed_context_size_error',
        },
      }),
      'context-length',
    ],
    ['what is not JSON', 'data: {oops\n\n', 'provider-protocol'],
  ])('reports %s', async (_, trouble, code) => {
    const { text, error, server } = await exchange([eventStream(begun, trouble, chatDone)]);
    expect(text).toBe('Once upon');
    expect(error).toMatchObject({ code });
    expect(error?.hint).not.toBe('');
    expect(server.requests).toHaveLength(1);
  });

  it('reports an empty answer and a web page', async () => {
    expect((await exchange([eventStream(chatDone)])).error).toMatchObject({
      code: 'provider-protocol',
    });
    const page: Reply = { headers: { 'content-type': 'text/html' }, steps: ['<html>'] };
    expect((await exchange([page])).error).toMatchObject({ code: 'provider-protocol' });
  });

  it('reports an error body with status 200', async () => {
    const { error } = await exchange([
      refusal(200, { error: { message: 'no such model', code: 404 } }),
    ]);
    expect(error).toMatchObject({ code: 'provider-request' });
  });
});

describe('refusals', () => {
  it.each([
    [401, { error: { message: 'bad key' } }, 'provider-auth', false],
    [403, '', 'provider-auth', false],
    [
      404,
      { error: { message: 'model "x" not found', type: 'not_found_error' } },
      'provider-request',
      false,
    ],
    [
      400,
      {
        error: {
          message: 'maximum context length is 8192 tokens',
          code: 'context_length_exceeded',
        },
      },
      'context-length',
      false,
    ],
    [400, { error: { message: 'unknown field' } }, 'provider-request', false],
    [429, { error: { message: 'slow down' } }, 'provider-rate-limit', true],
    [429, { message: 'Too many tokens, please wait.' }, 'provider-rate-limit', true],
    [
      400,
      [{ error: { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT' } }],
      'provider-auth',
      false,
    ],
    [
      429,
      { error: { message: 'no credit', code: 'insufficient_quota' } },
      'provider-rate-limit',
      false,
    ],
    [500, 'oops', 'provider-overloaded', true],
    [
      503,
      { error: { message: 'Loading model', type: 'unavailable_error', code: 503 } },
      'provider-overloaded',
      true,
    ],
  ])('%i %j → %s', async (status, body, code, retryable) => {
    const { error, server } = await exchange([refusal(status, body)]);
    expect(error).toMatchObject({ code, retryable, details: { status } });
    expect(error?.hint).not.toBe('');
    expect(server.requests).toHaveLength(retryable ? 3 : 1);
  });

  it('are known by their status when the rest of them never comes', async () => {
    const headers = { 'content-type': 'application/json', 'retry-after': '120' };
    for (const fault of ['drop', 'stall'] as const) {
      const half: Reply = { status: 429, headers, steps: ['{"error":', { fault }] };
      const { error, server } = await exchange([half], { interTokenTimeoutMs: 50 });
      expect(error).toMatchObject({
        code: 'provider-rate-limit',
        details: { status: 429, retryAfterMs: 120_000 },
      });
      await server.idle();
    }
  });

  it('are read no further than their beginning', async () => {
    const endless: Reply = { status: 400, steps: Array<string>(40).fill('x'.repeat(65_536)) };
    const steps = [...endless.steps, { gate: 'never' }];
    const { error, server } = await exchange([{ ...endless, steps }]);
    expect(error).toMatchObject({ code: 'provider-request', details: { status: 400 } });
    await server.idle();
  });

  it('are forgotten when a later attempt succeeds', async () => {
    const { text, error, server } = await exchange([
      refusal(500, {}),
      refusal(429, {}, { 'retry-after': '0' }),
      hello,
    ]);
    expect(error).toBeUndefined();
    expect(text).toBe('Hi');
    expect(server.requests).toHaveLength(3);
  });

  it('say when to come back, and are not waited out when that is too long for a conversation', async () => {
    const { error, server } = await exchange([refusal(429, {}, { 'retry-after': '120' })]);
    expect(error?.details).toMatchObject({ retryAfterMs: 120_000 });
    expect(server.requests).toHaveLength(1);
  });

  it('include a server that is not there', async () => {
    const server = await openAIChatServer({ replies: [hello] });
    await server.close();
    const run = firstPart({ baseURL: server.baseURL, retry: { attempts: 1 } });
    await expect(run).rejects.toMatchObject({ code: 'provider-network', retryable: true });
  });

  it('include silence before and after the headers', async () => {
    const stalled = eventStream({ head: true }, { fault: 'stall' });
    const patience = { connectTimeoutMs: 50, interTokenTimeoutMs: 50, retry: { attempts: 1 } };
    expect((await exchange([silent], patience)).error).toMatchObject({ code: 'provider-timeout' });
    expect((await exchange([stalled], patience)).error).toMatchObject({ code: 'provider-timeout' });
  });
});

describe('cancellation', () => {
  it('reaches a request that waits for headers, and a wait between attempts', async () => {
    for (const answer of [silent, refusal(503, {})]) {
      const controller = new AbortController();
      const reply = (): Reply => {
        setImmediate(() => controller.abort());
        return answer;
      };
      const server = await openAIChatServer({ replies: [reply] });
      servers.push(server);
      const next = firstPart(
        { baseURL: server.baseURL, retry: { baseDelayMs: 3_600_000, maxDelayMs: 3_600_000 } },
        controller.signal,
      );
      await expect(next).rejects.toMatchObject({ code: 'aborted' });
      expect(server.requests).toHaveLength(1);
    }
  });

  it('before the start sends nothing', async () => {
    const server = await openAIChatServer({ replies: [hello] });
    servers.push(server);
    const next = firstPart({ baseURL: server.baseURL }, AbortSignal.abort());
    await expect(next).rejects.toMatchObject({ code: 'aborted' });
    expect(server.requests).toEqual([]);
  });
});

describe('a fetch of one’s own that is deaf to its signal', () => {
  /** Never tells the server that nobody listens any more, unless its body is cancelled. */
  const deaf: typeof fetch = (input, init) => {
    const { signal: _signal, ...rest } = init ?? {};
    return fetch(input, rest);
  };

  it('leaves no socket open: the body that nobody reads is cancelled', async () => {
    const page: Reply = {
      headers: { 'content-type': 'text/html' },
      steps: ['<html>', { fault: 'stall' }],
    };
    const { error, server } = await exchange([page], { fetch: deaf });
    expect(error).toMatchObject({ code: 'provider-protocol' });
    await server.idle();
  });

  it('leaves none open either when the headers come too late', async () => {
    const reply = eventStream({ gate: 'late' }, chatFrame({ content: 'Hi' }), { fault: 'stall' });
    const server = await openAIChatServer({ replies: [reply] });
    servers.push(server);
    const controller = new AbortController();
    const next = firstPart({ baseURL: server.baseURL, fetch: deaf }, controller.signal);
    await server.gates.reached('late');
    controller.abort();
    await expect(next).rejects.toMatchObject({ code: 'aborted' });
    server.gates.open('late');
    await server.idle();
  });
});

describe('secrets', () => {
  const token = 'tok+/en.secret=42';
  it.each([
    [
      'a refusal',
      refusal(401, { error: { message: `Incorrect API key provided: ${token}`, code: token } }),
    ],
    [
      'a stream',
      eventStream(sseData({ error: { message: `key ${encodeURIComponent(token)} expired` } })),
    ],
    ['a plain body', refusal(500, `Bearer ${token}`)],
  ])('never show in the error of %s', async (_, answer) => {
    const { error } = await exchange([answer], {
      token,
      headers: { 'x-api-key': 'header-secret-1234' },
    });
    const shown = JSON.stringify(serializeError(error)) + String(error?.stack);
    expect(error).toBeDefined();
    expect(shown).not.toContain(token);
    expect(shown).not.toContain(encodeURIComponent(token));
    expect(shown).not.toContain('header-secret');
  });

  it('that make no header stay out of the complaint about it', async () => {
    const secret = 'tok-en\n.secret=42';
    const { error } = await exchange([hello], { token: `${secret}\n`, retry: { attempts: 1 } });
    expect(error).toBeDefined();
    expect(JSON.stringify(serializeError(error))).not.toContain('secret=42');
  });

  it('that last are refused in a browser unless dangerously allowed', () => {
    const keys = [
      'sk-proj-abcdefghijklmnop',
      `Bearer sk-ant-${'z'.repeat(40)}`,
      `AIza${'x'.repeat(35)}`,
      `gsk_${'y'.repeat(40)}`,
    ];
    for (const key of keys) {
      expect(() => refuseLongLivedKey(key, false, true)).toThrow(
        expect.objectContaining({ code: 'provider-auth' }),
      );
      expect(() => refuseLongLivedKey(key, true, true)).not.toThrow();
      expect(() => refuseLongLivedKey(key, false, false)).not.toThrow();
    }
    for (const token of ['', 'ollama', 'ek_68af296e8e408191a1120ab6383263c2', 'eyJhbGciOi.J9.abc'])
      expect(() => refuseLongLivedKey(token, false, true)).not.toThrow();
  });

  it('may not hide in the address', () => {
    expect(() => openAICompatible({ baseURL: 'https://me:pw@host/v1', model: 'm' })).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  });

  it('are asked for as patiently as the server itself', async () => {
    const token = (): Promise<string> => new Promise(() => undefined);
    const options = { token, connectTimeoutMs: 30, retry: { attempts: 1 } };
    const { error, server } = await exchange([hello], options);
    expect(error).toMatchObject({ code: 'provider-timeout', retryable: true });
    expect(server.requests).toEqual([]);
  });

  it('of a failing token function stay out as well', async () => {
    const token = async (): Promise<string> => {
      throw new Error('mint failed with Bearer abcdefghijkl');
    };
    const { error } = await exchange([hello], { token, retry: { attempts: 1 } });
    expect(error).toMatchObject({ code: 'provider-auth' });
    expect(JSON.stringify(serializeError(error))).not.toContain('abcdefghijkl');
  });
});
