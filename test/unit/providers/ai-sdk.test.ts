import type { LanguageModelV2, LanguageModelV3, LanguageModelV4 } from '@ai-sdk/provider';
import { describe, expect, it } from 'vitest';
import { textMessage } from '../../../src/core/element.ts';
import type { AntiphonError } from '../../../src/core/errors.ts';
import { fromAISDK, type AISDKModel } from '../../../src/providers/ai-sdk.ts';
import type { ProviderPart, ProviderRequest } from '../../../src/providers/provider.ts';

type Call = Readonly<Record<string, unknown>> & { readonly abortSignal: AbortSignal };

interface Fake {
  readonly model: AISDKModel;
  readonly calls: Call[];
  /** Whether the stream was told to stop. */
  readonly cancelled: () => boolean;
}

/** A model of any version that streams these parts; an Error among them is thrown, `hang` never ends. */
function fake(version: 'v2' | 'v3' | 'v4', ...scripts: (object | Error | 'hang')[][]): Fake {
  const calls: Call[] = [];
  let cancelled = false;
  const doStream = async (options: unknown): Promise<{ stream: ReadableStream<never> }> => {
    const number = calls.push(options as Call);
    const script = [...(scripts[Math.min(number, scripts.length) - 1] ?? [])];
    if (script[0] instanceof Error) throw script[0];
    const stream = new ReadableStream<never>({
      pull(controller) {
        const part = script.shift();
        if (part === 'hang') return new Promise<void>(() => undefined);
        if (part === undefined) controller.close();
        else if (part instanceof Error) controller.error(part);
        else controller.enqueue(part as never);
        return undefined;
      },
      cancel: () => {
        cancelled = true;
      },
    });
    return { stream };
  };
  const common = { provider: 'acme.chat', modelId: 'm', supportedUrls: {}, doStream };
  const doGenerate = (): never => {
    throw new Error('not streamed');
  };
  const models: readonly [LanguageModelV2, LanguageModelV3, LanguageModelV4] = [
    { ...common, specificationVersion: 'v2', doGenerate },
    { ...common, specificationVersion: 'v3', doGenerate },
    { ...common, specificationVersion: 'v4', doGenerate },
  ];
  const model = models[{ v2: 0, v3: 1, v4: 2 }[version]]!;
  return { model, calls, cancelled: () => cancelled };
}

const tool = { name: 'add', description: 'Adds.', parameters: { type: 'object' } };
const ask: ProviderRequest = {
  system: 'Be brief.',
  messages: [textMessage('user', 'Hi')],
  tools: [tool],
};

async function run(
  model: AISDKModel,
  request: ProviderRequest = ask,
  signal: AbortSignal = new AbortController().signal,
  onPart: (part: ProviderPart) => void = () => undefined,
): Promise<{ parts: ProviderPart[]; error: AntiphonError | undefined }> {
  const parts: ProviderPart[] = [];
  try {
    for await (const part of fromAISDK(model, { retry: { baseDelayMs: 0 } }).stream(request, {
      signal,
    })) {
      parts.push(part);
      onPart(part);
    }
    return { parts, error: undefined };
  } catch (error) {
    return { parts, error: error as AntiphonError };
  }
}

const text = (delta: string): object => ({ type: 'text-delta', id: '1', delta });
const end = { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: {} };
const apiError = (statusCode: number, headers: object = {}): Error =>
  Object.assign(new Error('refused'), {
    name: 'AI_APICallError',
    statusCode,
    responseHeaders: headers,
    responseBody: JSON.stringify({ error: { message: 'said no' } }),
  });

describe('fromAISDK', () => {
  it.each([
    ['v2', 'tool-calls', { inputTokens: 3, outputTokens: 2, totalTokens: 5 }],
    [
      'v3',
      { unified: 'tool-calls', raw: 'tool_use' },
      { inputTokens: { total: 3 }, outputTokens: { total: 2 } },
    ],
    [
      'v4',
      { unified: 'tool-calls', raw: 'tool_use' },
      { inputTokens: { total: 3, noCache: 3 }, outputTokens: { total: 2 } },
    ],
  ] as const)('reads the parts of a %s model', async (version, finishReason, usage) => {
    const signed = { acme: { signature: 'sealed' } };
    const { model } = fake(version, [
      { type: 'stream-start', warnings: [] },
      { type: 'response-metadata', id: 'r' },
      { type: 'reasoning-start', id: 'r1' },
      { type: 'reasoning-delta', id: 'r1', delta: 'Hm' },
      { type: 'reasoning-end', id: 'r1', providerMetadata: signed },
      { type: 'text-start', id: '1' },
      text('One '),
      text(''),
      text('two'),
      { type: 'text-end', id: '1' },
      { type: 'tool-input-start', id: 'c', toolName: 'add' },
      { type: 'tool-input-delta', id: 'c', delta: '{"a"' },
      {
        type: 'tool-call',
        toolCallId: 'x',
        toolName: 'search',
        input: '{}',
        providerExecuted: true,
      },
      {
        type: 'tool-call',
        toolCallId: 'c',
        toolName: 'add',
        input: '{"a":1}',
        providerMetadata: { acme: { id: 7 } },
      },
      { type: 'tool-call', toolCallId: 'd', toolName: 'add', input: '' },
      { type: 'something-new' },
      { type: 'finish', finishReason, usage },
    ]);
    const { parts, error } = await run(model);
    expect(error).toBeUndefined();
    const before = [{ type: 'reasoning', text: 'Hm', providerOptions: signed }];
    expect(parts).toEqual([
      { type: 'reasoning-delta', text: 'Hm' },
      { type: 'text-delta', text: 'One ' },
      { type: 'text-delta', text: 'two' },
      {
        type: 'tool-call',
        call: {
          id: 'c',
          name: 'add',
          arguments: { a: 1 },
          providerData: { 'ai-sdk': { metadata: { acme: { id: 7 } }, before } },
        },
      },
      { type: 'tool-call', call: { id: 'd', name: 'add', arguments: {} } },
      { type: 'finish', reason: 'tool-calls', usage: { inputTokens: 3, outputTokens: 2 } },
    ]);
  });

  it('sends prompt, tools and what the model wants back with its calls', async () => {
    const { model, calls } = fake('v4', [end]);
    const metadata = { acme: { id: 7 } };
    const reasoning = { type: 'reasoning', text: 'Hm' };
    const providerData = { 'ai-sdk': { metadata, before: [reasoning] } };
    const messages = [
      textMessage('user', 'Add'),
      textMessage('assistant', 'Gladly.', {
        toolCalls: [
          { id: 'c', name: 'add', arguments: { a: 1 }, providerData },
          { id: 'd', name: 'add', arguments: {} },
        ],
      }),
      textMessage('tool', '1', { toolCallId: 'c' }),
      textMessage('tool', '2', { toolCallId: 'd' }),
    ];
    const provider = fromAISDK(model, {
      temperature: 0.2,
      providerOptions: { acme: { fast: true } },
    });
    const request = { ...ask, messages, maxOutputTokens: 9 };
    for await (const part of provider.stream(request, { signal: new AbortController().signal }))
      void part;
    const result = (toolCallId: string, value: string): object => ({
      type: 'tool-result',
      toolCallId,
      toolName: 'add',
      output: { type: 'text', value },
    });
    expect(calls[0]).toMatchObject({
      temperature: 0.2,
      maxOutputTokens: 9,
      providerOptions: { acme: { fast: true } },
      toolChoice: { type: 'auto' },
      tools: [
        { type: 'function', name: 'add', description: 'Adds.', inputSchema: { type: 'object' } },
      ],
    });
    expect(calls[0]?.['prompt']).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'Add' }] },
      {
        role: 'assistant',
        content: [
          reasoning,
          { type: 'text', text: 'Gladly.' },
          {
            type: 'tool-call',
            toolCallId: 'c',
            toolName: 'add',
            input: { a: 1 },
            providerOptions: metadata,
          },
          { type: 'tool-call', toolCallId: 'd', toolName: 'add', input: {} },
        ],
      },
      { role: 'tool', content: [result('c', '1'), result('d', '2')] },
    ]);
  });

  it.each([
    ['v3', 'AQI=', new URL('https://example.org/a.png')],
    [
      'v4',
      { type: 'data', data: 'AQI=' },
      { type: 'url', url: new URL('https://example.org/a.png') },
    ],
  ] as const)('sends media in the form of %s', async (version, bytes, address) => {
    const { model, calls } = fake(version, [end]);
    const mediaType = 'image/png';
    const parts = [
      { type: 'image', mediaType, data: new Uint8Array([1, 2]) },
      { type: 'image', mediaType, data: 'https://example.org/a.png' },
    ] as const;
    await run(model, { ...ask, messages: [{ ...textMessage('user', ''), parts }] });
    expect(calls[0]?.['prompt']).toContainEqual({
      role: 'user',
      content: [
        { type: 'file', mediaType, data: bytes },
        { type: 'file', mediaType, data: address },
      ],
    });
  });

  it.each([
    [apiError(401), 'provider-auth', 1],
    [apiError(429, { 'retry-after': '0' }), 'provider-rate-limit', 3],
    [apiError(503), 'provider-overloaded', 3],
    [Object.assign(new Error('no key'), { name: 'AI_LoadAPIKeyError' }), 'provider-auth', 1],
    [
      Object.assign(new Error('no audio'), { name: 'AI_UnsupportedFunctionalityError' }),
      'unsupported',
      1,
    ],
    [new TypeError('fetch failed'), 'provider-network', 3],
  ])('types %s as %s and makes %i attempts', async (thrown, code, attempts) => {
    const { model, calls } = fake('v4', [thrown]);
    const { error } = await run(model);
    expect(error).toMatchObject({ code });
    expect(error?.hint).not.toBe('');
    expect(calls).toHaveLength(attempts);
  });

  it('takes an error part for an error, and does not retry after the first token', async () => {
    const trouble = { type: 'error', error: { type: 'overloaded_error', message: 'busy' } };
    const late = fake('v4', [text('Once'), trouble], [end]);
    expect(await run(late.model)).toMatchObject({
      parts: [{ text: 'Once' }],
      error: { code: 'provider-overloaded' },
    });
    expect(late.calls).toHaveLength(1);
    const early = fake('v4', [trouble], [text('Hi'), end]);
    expect((await run(early.model)).error).toBeUndefined();
    expect(early.calls).toHaveLength(2);
  });

  it('reports a stream that just ends', async () => {
    expect((await run(fake('v4', [text('Once')]).model)).error).toMatchObject({
      code: 'provider-network',
    });
    expect((await run(fake('v4', []).model)).error).toMatchObject({ code: 'provider-protocol' });
  });

  it('cancels a stream that comes when nobody waits for it any more', async () => {
    const late = fake('v4', ['hang']);
    const { doStream } = late.model;
    let come = (): void => {};
    const coming = new Promise<void>((resolve) => (come = resolve));
    const model = {
      ...late.model,
      doStream: async (options: never) => {
        await coming;
        return doStream(options);
      },
    } as unknown as AISDKModel;
    const controller = new AbortController();
    const running = run(model, ask, controller.signal);
    controller.abort();
    expect((await running).error).toMatchObject({ code: 'aborted' });
    come();
    await expect.poll(late.cancelled).toBe(true);
  });

  it('stops the model by signal and by cancelling its stream', async () => {
    const aborted = fake('v4', [text('Once'), 'hang']);
    const controller = new AbortController();
    const { error } = await run(aborted.model, ask, controller.signal, () => controller.abort());
    expect(error).toMatchObject({ code: 'aborted' });
    expect(aborted.calls[0]?.abortSignal.aborted).toBe(true);
    await expect.poll(aborted.cancelled).toBe(true);
    const left = fake('v4', [text('Once'), 'hang']);
    for await (const part of fromAISDK(left.model).stream(ask, {
      signal: new AbortController().signal,
    }))
      if (part.type === 'text-delta') break;
    expect(left.calls[0]?.abortSignal.aborted).toBe(true);
    await expect.poll(left.cancelled).toBe(true);
  });
});
