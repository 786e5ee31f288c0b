/** What every provider over fetch has to do, against strict protocol servers; runs in Node and in a page. */
import { afterEach, describe, expect, it } from 'vitest';
import { textMessage, type Message, type ToolCall } from '../../src/core/element.ts';
import { serializeError, type AntiphonError } from '../../src/core/errors.ts';
import { anthropic } from '../../src/providers/anthropic.ts';
import { gemini } from '../../src/providers/gemini.ts';
import type { HttpModelOptions } from '../../src/providers/http-model.ts';
import { openAICompatible } from '../../src/providers/openai-compatible.ts';
import { openAIResponses } from '../../src/providers/openai-responses.ts';
import type { Provider, ProviderPart, ProviderRequest } from '../../src/providers/provider.ts';
import { toolLoop } from '../../src/providers/tool-loop.ts';
import { defineTool } from '../../src/providers/define-tool.ts';
import {
  vendors,
  type RemoteServer,
  type Scenario,
  type StartServer,
  type Vendor,
} from './scenario.ts';

type Options = HttpModelOptions & { readonly baseURL: string };

const make: Readonly<Record<Vendor, (options: Options) => Provider>> = {
  chat: openAICompatible,
  responses: openAIResponses,
  anthropic,
  gemini,
};

const tool = {
  name: 'add',
  description: 'Adds.',
  parameters: { type: 'object', properties: { a: { type: 'number' } } },
};

const ask: ProviderRequest = {
  system: 'Be brief.',
  messages: [textMessage('user', 'Hello')],
  tools: [tool],
};

const spoken = {
  reasoning: ['Hm', '…'],
  text: ['Grüße, ', '世界 ', '🌍'],
  calls: [
    { id: 'call_a', name: 'add', arguments: { a: 1, word: 'é🌍' } },
    { id: 'call_b', name: 'add', arguments: {} },
  ],
  usage: { input: 7, output: 5 },
  fragmentLength: 2,
};

const saidParts = [
  { type: 'reasoning-delta', text: 'Hm' },
  { type: 'reasoning-delta', text: '…' },
  { type: 'text-delta', text: 'Grüße, ' },
  { type: 'text-delta', text: '世界 ' },
  { type: 'text-delta', text: '🌍' },
];
const allParts = [
  ...saidParts,
  { type: 'tool-call', call: { id: 'call_a', name: 'add', arguments: { a: 1, word: 'é🌍' } } },
  { type: 'tool-call', call: { id: 'call_b', name: 'add', arguments: {} } },
  { type: 'finish', reason: 'tool-calls', usage: { inputTokens: 7, outputTokens: 5 } },
];

/** A part without what only its vendor reads. */
function plain(part: ProviderPart): ProviderPart {
  if (part.type !== 'tool-call') return part;
  const { id, name, arguments: args } = part.call;
  return { type: 'tool-call', call: { id, name, arguments: args } };
}

interface Outcome {
  readonly parts: ProviderPart[];
  readonly error: AntiphonError | undefined;
}

/** Runs the suite; `start` starts a server wherever that is possible. */
export function providerSuite(start: StartServer): void {
  const servers: RemoteServer[] = [];
  /** Tests that provoke violations empty this list themselves. */
  const strict: RemoteServer[] = [];
  afterEach(async () => {
    const violations = await Promise.all(strict.splice(0).map((server) => server.violations()));
    await Promise.all(servers.splice(0).map((server) => server.close()));
    expect(violations.flat()).toEqual([]);
  });

  const serve = async (vendor: Vendor, ...scenarios: Scenario[]): Promise<RemoteServer> => {
    const server = await start(vendor, scenarios);
    servers.push(server);
    strict.push(server);
    return server;
  };

  const provider = (vendor: Vendor, server: RemoteServer, more: Partial<Options> = {}): Provider =>
    make[vendor]({
      baseURL: server.baseURL,
      model: 'scripted',
      token: 'short-lived',
      retry: { baseDelayMs: 0 },
      ...more,
    });

  const run = async (
    source: Provider,
    request: ProviderRequest = ask,
    onPart: (part: ProviderPart) => void = () => undefined,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Outcome> => {
    const parts: ProviderPart[] = [];
    try {
      for await (const part of source.stream(request, { signal })) {
        parts.push(part);
        onPart(part);
      }
      return { parts, error: undefined };
    } catch (error) {
      return { parts, error: error as AntiphonError };
    }
  };

  describe.each(vendors)('%s', (vendor) => {
    it('streams reasoning, text, calls and usage, and leaves no socket open', async () => {
      const server = await serve(vendor, { spoken });
      const { parts, error } = await run(provider(vendor, server));
      expect(error).toBeUndefined();
      expect(parts.map(plain)).toEqual(allParts);
      await server.idle();
      const [seen] = await server.requests();
      expect(Object.values(seen!.headers).join(' ')).toContain('short-lived');
    });

    it('gives the same when every byte is a chunk of its own', async () => {
      const server = await serve(vendor, { spoken, bytewise: true });
      const { parts, error } = await run(provider(vendor, server));
      expect(error).toBeUndefined();
      expect(parts.map(plain)).toEqual(allParts);
    });

    it('forwards each delta before the next one has been sent', async () => {
      const text = ['One ', 'two ', 'three'];
      const server = await serve(vendor, { spoken: { text }, gatedText: true });
      const stream = provider(vendor, server).stream(ask, { signal: new AbortController().signal });
      const iterator = stream[Symbol.asyncIterator]();
      for (const [index, piece] of text.entries()) {
        const next = iterator.next();
        await server.reached(`t${index}`);
        await server.open(`t${index}`);
        expect((await next).value).toEqual({ type: 'text-delta', text: piece });
      }
      expect((await iterator.next()).value).toMatchObject({ type: 'finish', reason: 'stop' });
      await iterator.return?.();
    });

    it('keeps what came before a fault at any frame, doubles nothing, retries only before the first part', async () => {
      // No vendor needs more frames for this reply.
      for (let frame = 0; frame < 19; frame += 1) {
        for (const kind of ['drop', 'reset'] as const) {
          const text = ['One ', 'two'];
          const server = await serve(
            vendor,
            { spoken: { text, calls: spoken.calls }, fault: { frame, kind } },
            { spoken: { text: ['Again'] } },
          );
          const { parts, error } = await run(provider(vendor, server));
          const said = parts.map((part) => (part.type === 'text-delta' ? part.text : '')).join('');
          const requests = await server.requests();
          if (requests.length === 2) {
            expect(error).toBeUndefined();
            expect(said).toBe('Again');
          } else if (error) {
            expect(error).toMatchObject({ code: 'provider-network', retryable: true });
            expect('One two'.startsWith(said)).toBe(true);
          } else expect(said).toBe('One two');
          await server.idle();
        }
      }
    });

    it('stops at once when it is cancelled at any frame, and closes the socket', async () => {
      for (let cancelAt = 1; cancelAt <= 3; cancelAt += 1) {
        const server = await serve(vendor, { spoken, fault: { frame: 40, kind: 'stall' } });
        const controller = new AbortController();
        let count = 0;
        const { parts, error } = await run(
          provider(vendor, server),
          ask,
          () => {
            count += 1;
            if (count === cancelAt) controller.abort();
          },
          controller.signal,
        );
        expect(error).toMatchObject({ code: 'aborted' });
        expect(parts.map(plain)).toEqual(allParts.slice(0, cancelAt));
        expect(await server.ended(0)).toBe('cut');
        await server.idle();
      }
    });

    it('closes the socket when nobody reads on', async () => {
      const server = await serve(vendor, { spoken, fault: { frame: 40, kind: 'stall' } });
      const stream = provider(vendor, server).stream(ask, { signal: new AbortController().signal });
      for await (const part of stream) if (part.type === 'text-delta') break;
      expect(await server.ended(0)).toBe('cut');
      await server.idle();
    });

    it('can be cancelled before the headers, and closes the socket', async () => {
      const server = await serve(vendor, { spoken, gated: true });
      const controller = new AbortController();
      const outcome = run(provider(vendor, server), ask, undefined, controller.signal);
      await server.reached('g0');
      controller.abort();
      expect((await outcome).error).toMatchObject({ code: 'aborted' });
      expect(await server.ended(0)).toBe('cut');
    });

    it('gives up on a server that stalls', async () => {
      const server = await serve(vendor, {
        spoken: { text: 'One' },
        fault: { frame: 0, kind: 'stall' },
      });
      const { error } = await run(
        provider(vendor, server, {
          interTokenTimeoutMs: 30,
          retry: { attempts: 2, baseDelayMs: 0 },
        }),
      );
      expect(error).toMatchObject({ code: 'provider-timeout', retryable: true });
      expect(await server.requests()).toHaveLength(2);
      await server.idle();
    });

    it.each([
      [401, 'no', 'provider-auth', false],
      [404, 'no such model', 'provider-request', false],
      [400, 'something is wrong', 'provider-request', false],
      [400, 'prompt is too long: 9 tokens > 8 maximum', 'context-length', false],
      [429, 'slow down', 'provider-rate-limit', true],
      [500, 'oops', 'provider-overloaded', true],
      [529, 'busy', 'provider-overloaded', true],
    ])('types a refusal with %i %s as %s', async (status, message, code, retryable) => {
      const server = await serve(vendor, { status, message }, { spoken: { text: 'Hi' } });
      const alone = provider(vendor, server, { retry: { attempts: 1 } });
      expect((await run(alone)).error).toMatchObject({ code, retryable, details: { status } });
      expect((await run(provider(vendor, server))).error).toBeUndefined();
    });

    it('obeys Retry-After, and says it when the wait is too long', async () => {
      const soon = new Date(Date.now() - 1000).toUTCString();
      const server = await serve(
        vendor,
        { status: 429, message: 'slow down', headers: { 'retry-after': '0' } },
        { status: 503, message: 'loading', headers: { 'retry-after': soon } },
        { spoken: { text: 'Hi' } },
        { status: 429, message: 'slow down', headers: { 'retry-after': '100' } },
      );
      const patient = provider(vendor, server, { retry: { baseDelayMs: 3_600_000 } });
      expect((await run(patient)).error).toBeUndefined();
      expect(await server.requests()).toHaveLength(3);
      const { error } = await run(patient);
      expect(error).toMatchObject({
        code: 'provider-rate-limit',
        details: { retryAfterMs: 100_000 },
      });
      expect(await server.requests()).toHaveLength(4);
    });

    it('types an error inside the stream, and tries again when nothing had been said', async () => {
      const text = ['One ', 'two'];
      const error = { status: 529, message: 'Overloaded' };
      const before = await serve(
        vendor,
        { spoken: { text }, error: { ...error, frame: 0 } },
        { spoken: { text } },
      );
      expect((await run(provider(vendor, before))).parts.at(-1)).toMatchObject({ type: 'finish' });
      expect(await before.requests()).toHaveLength(2);
      for (let frame = 1; frame < 12; frame += 1) {
        const after = await serve(
          vendor,
          { spoken: { text }, error: { ...error, frame } },
          { spoken: { text: 'Again' } },
        );
        const { parts, error: thrown } = await run(provider(vendor, after));
        if ((await after.requests()).length === 2) continue;
        expect(parts[0]).toEqual({ type: 'text-delta', text: 'One ' });
        expect(thrown).toMatchObject({ code: 'provider-overloaded' });
        await after.idle();
        return;
      }
      throw new Error('no frame held text');
    });

    it('takes its own calls back, with results, and goes on', async () => {
      const server = await serve(vendor, { spoken }, { spoken: { text: 'Done.' } });
      const model = provider(vendor, server);
      const first = await run(model);
      const calls = first.parts.flatMap((part) => (part.type === 'tool-call' ? [part.call] : []));
      const history = [
        ...ask.messages,
        textMessage('assistant', 'Grüße', { toolCalls: calls }),
        ...calls.map((call) => textMessage('tool', '3', { toolCallId: call.id })),
        textMessage('user', 'And?'),
      ];
      const second = await run(model, { ...ask, messages: history });
      expect(second.error).toBeUndefined();
      expect(second.parts[0]).toEqual({ type: 'text-delta', text: 'Done.' });
    });

    it("calls tools in a turn of several rounds, to the server's satisfaction", async () => {
      const calls = [
        { name: 'add', arguments: { a: 1 } },
        { name: 'add', arguments: { a: 2 } },
      ];
      const server = await serve(
        vendor,
        { spoken: { reasoning: 'Hm', text: 'Wait.', calls } },
        { spoken: { calls: [{ id: 'third', name: 'add', arguments: { a: 3 } }] } },
        { spoken: { text: 'Six.' } },
      );
      const add = defineTool<{ a: number }>({ ...tool, execute: ({ a }) => a * 2 });
      const turn = toolLoop({
        provider: provider(vendor, server),
        request: { system: 'Be brief.', messages: ask.messages },
        tools: [add],
        signal: new AbortController().signal,
        turn: 1,
        conversation: 'test',
      });
      let text = '';
      const results: unknown[] = [];
      for await (const part of turn) {
        if (part.type === 'text-delta') text += part.text;
        if (part.type === 'tool-result') results.push(part.outcome.result);
      }
      expect(text).toBe('Wait. Six.');
      expect(results).toEqual([2, 4, 6]);
      expect(await server.requests()).toHaveLength(3);
    });

    it('shows no token in an error, wherever the server repeats it', async () => {
      const message = 'Incorrect key short-lived, also short-lived.';
      for (const scenario of [
        { status: 401, message },
        { spoken: { text: 'x' }, error: { frame: 0, status: 401, message } },
      ] as const) {
        const server = await serve(vendor, scenario);
        const { error } = await run(provider(vendor, server, { retry: { attempts: 1 } }));
        expect(error?.message).toContain('[redacted]');
        expect(JSON.stringify(serializeError(error))).not.toContain('short-lived');
      }
    });

    it('takes the calls of every other vendor, and an assistant that speaks first', async () => {
      const foreign: ToolCall[] = [
        {
          id: 'functions.add:0',
          name: 'add',
          arguments: { a: 1 },
          providerData: { other: { x: 1 } },
        },
        { id: 'call_2', name: 'add', arguments: '{"not json' },
      ];
      const messages: Message[] = [
        textMessage('assistant', 'Good day. '),
        textMessage('user', 'Add.'),
        textMessage('assistant', '', { toolCalls: foreign }),
        textMessage('tool', '{"sum":3}', { toolCallId: 'functions.add:0' }),
        textMessage('tool', 'Error: no', { toolCallId: 'call_2' }),
        {
          ...textMessage('user', ''),
          parts: [
            { type: 'reasoning', text: 'private' },
            { type: 'text', text: 'See' },
            { type: 'image', mediaType: 'image/png', data: new Uint8Array([1, 2, 3]) },
            { type: 'image', mediaType: 'image/png', data: 'data:image/png;base64,AQID' },
            { type: 'file', mediaType: 'application/pdf', data: new Uint8Array([1, 2, 3]) },
          ],
        },
      ];
      const server = await serve(vendor, { spoken: { text: 'Three.' } });
      const { error } = await run(provider(vendor, server), {
        ...ask,
        messages,
        maxOutputTokens: 64,
      });
      expect(error).toBeUndefined();
      const sent = JSON.stringify((await server.requests())[0]?.body);
      expect(sent).toContain('AQID');
      expect(sent).not.toContain('private');
    });

    it('can be made to call a tool, any or a certain one', async () => {
      const server = await serve(vendor, { spoken: { text: 'Hi' } });
      const model = provider(vendor, server);
      for (const toolChoice of ['required', { name: 'add' }] as const)
        expect((await run(model, { ...ask, toolChoice })).error).toBeUndefined();
      const [any, named] = (await server.requests()).map(({ body }) => {
        const { tool_choice: choice, toolConfig = choice } = body as Record<string, unknown>;
        return toolConfig;
      });
      expect(any).toBeDefined();
      expect(JSON.stringify(named)).toContain('add');
    });

    it('says which media it does not take, before it asks anybody', async () => {
      const server = await serve(vendor, { spoken: { text: 'Hi' } });
      const part = { type: 'video', mediaType: 'video/mp4', data: new Uint8Array([1]) } as const;
      const messages = [{ ...textMessage('user', ''), parts: [part] }];
      const { error } = await run(provider(vendor, server), { ...ask, messages });
      if (vendor === 'gemini') expect(error).toBeUndefined();
      else {
        expect(error).toMatchObject({ code: 'unsupported' });
        expect(await server.requests()).toHaveLength(0);
      }
    });
  });
}
