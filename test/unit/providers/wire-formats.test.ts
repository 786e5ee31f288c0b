import { afterEach, describe, expect, it } from 'vitest';
import { textMessage, type Message, type ToolCall } from '../../../src/core/element.ts';
import type { AntiphonError } from '../../../src/core/errors.ts';
import { anthropic, type AnthropicOptions } from '../../../src/providers/anthropic.ts';
import { gemini, type GeminiOptions } from '../../../src/providers/gemini.ts';
import { openAIResponses } from '../../../src/providers/openai-responses.ts';
import type { OpenAIResponsesOptions } from '../../../src/providers/openai-responses.ts';
import type { Provider, ProviderPart, ProviderRequest } from '../../../src/providers/provider.ts';
import {
  anthropicReply,
  anthropicServer,
  eventStream,
  geminiError,
  geminiFrame,
  geminiReply,
  geminiServer,
  openAIResponsesServer,
  refusal,
  responsesReply,
  sseData,
  sseEvent,
  type LoopbackServer,
  type Reply,
} from '../../../src/testing/servers/index.ts';

const servers: LoopbackServer[] = [];
afterEach(async () => {
  const stopped = servers.splice(0);
  await Promise.all(stopped.map((server) => server.close()));
  expect(stopped.flatMap(({ violations }) => violations)).toEqual([]);
});

const ask: ProviderRequest = { system: '', messages: [textMessage('user', 'Hello')], tools: [] };
const tool = { name: 'add', description: 'Adds.', parameters: { properties: { a: {} } } };

interface Outcome {
  readonly parts: ProviderPart[];
  readonly error: AntiphonError | undefined;
  readonly bodies: Record<string, unknown>[];
  readonly server: LoopbackServer;
}

async function exchange(
  server: LoopbackServer,
  provider: Provider,
  request: ProviderRequest = ask,
): Promise<Outcome> {
  servers.push(server);
  const parts: ProviderPart[] = [];
  let error: AntiphonError | undefined;
  try {
    for await (const part of provider.stream(request, { signal: new AbortController().signal }))
      parts.push(part);
  } catch (thrown) {
    error = thrown as AntiphonError;
  }
  const bodies = server.requests.map(({ body }) => body as Record<string, unknown>);
  return { parts, error, bodies, server };
}

const retry = { baseDelayMs: 0 };
const callsOf = (parts: readonly ProviderPart[]): ToolCall[] =>
  parts.flatMap((part) => (part.type === 'tool-call' ? [part.call] : []));

/** A history in which `calls` were made and answered. */
const answered = (calls: readonly ToolCall[]): Message[] => [
  textMessage('user', 'Add.'),
  textMessage('assistant', 'So.', { toolCalls: calls }),
  ...calls.map(({ id }) => textMessage('tool', '3', { toolCallId: id })),
];

describe('anthropic', () => {
  const talk = async (
    replies: readonly Reply[],
    options: Partial<AnthropicOptions> = {},
    request: ProviderRequest = ask,
  ): Promise<Outcome> => {
    const server = await anthropicServer({ replies });
    const provider = anthropic({ baseURL: server.baseURL, model: 'm', retry, ...options });
    return exchange(server, provider, request);
  };
  const hello = anthropicReply({ text: 'Hi' });

  it('sends what the API insists on, and nothing that was not asked for', async () => {
    const { bodies, server } = await talk([hello], { token: 't' });
    expect(bodies[0]).toEqual({
      model: 'm',
      max_tokens: 4096,
      stream: true,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
      thinking: { type: 'disabled' },
    });
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer t',
      'anthropic-version': '2026-10-21',
    });
    expect(server.requests[0]?.headers).not.toHaveProperty('x-api-key');
  });

  it('knows a temperature, and another header for the token, in the version of 2023 only', async () => {
    const old = await talk([hello], { token: 't', temperature: 0.5, version: '2023-06-01' });
    expect(old.bodies[0]).toMatchObject({ temperature: 0.5 });
    expect(old.server.requests[0]?.headers).toMatchObject({ 'x-api-key': 't' });
    expect(old.server.requests[0]?.headers).not.toHaveProperty('authorization');
    const { error, bodies } = await talk([hello], { temperature: 0.5 });
    expect(error).toMatchObject({ code: 'unsupported' });
    expect(bodies).toEqual([]);
  });

  it.each([
    ['adaptive', { type: 'adaptive' }],
    ['model-default', undefined],
    [{ budgetTokens: 2000 }, { type: 'enabled', budget_tokens: 2000 }],
  ] as const)('asks for thinking: %j', async (thinking, sent) => {
    expect((await talk([hello], { thinking })).bodies[0]?.['thinking']).toEqual(sent);
  });

  it.each(['adaptive', { budgetTokens: 2000 }] as const)(
    'does not think where the API refuses it: %j',
    async (thinking) => {
      const forced = { ...ask, tools: [tool], toolChoice: { name: 'add' } } as const;
      const foreign = [{ id: 'call:1', name: 'add', arguments: {} }];
      const behind = { ...ask, tools: [tool], messages: answered(foreign) };
      for (const request of [forced, behind]) {
        const { bodies, server } = await talk([hello], { thinking }, request);
        expect(server.violations).toEqual([]);
        expect(bodies[0]?.['thinking']).toEqual({ type: 'disabled' });
      }
      const later = {
        ...behind,
        messages: [
          ...behind.messages,
          textMessage('assistant', 'Done.'),
          textMessage('user', 'And?'),
        ],
      };
      expect((await talk([hello], { thinking }, later)).bodies[0]?.['thinking']).not.toEqual({
        type: 'disabled',
      });
    },
  );

  it('sends thinking back before the call it led to, redacted or not', async () => {
    const first = await talk(
      [
        eventStream(
          sseEvent('message_start', { message: { usage: { input_tokens: 1 } } }),
          ...[
            { type: 'thinking', thinking: 'Hm', signature: '' },
            { type: 'redacted_thinking', data: 'xyz' },
            { type: 'tool_use', id: 'a', name: 'add', input: {} },
            { type: 'thinking', thinking: '', signature: 's2' },
            { type: 'tool_use', id: 'b', name: 'add', input: {} },
          ].flatMap((block, index) => [
            sseEvent('content_block_start', { index, content_block: block }),
            ...(index === 0
              ? [
                  sseEvent('content_block_delta', {
                    index,
                    delta: { type: 'signature_delta', signature: 's1' },
                  }),
                ]
              : []),
            sseEvent('content_block_stop', { index }),
          ]),
          sseEvent('message_delta', { delta: { stop_reason: 'tool_use' }, usage: {} }),
          sseEvent('message_stop', {}),
        ),
      ],
      {},
      { ...ask, tools: [tool] },
    );
    expect(first.error).toBeUndefined();
    const messages = answered(callsOf(first.parts));
    const { bodies } = await talk([hello], {}, { ...ask, messages });
    expect(bodies[0]?.['messages']).toMatchObject([
      {},
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm', signature: 's1' },
          { type: 'redacted_thinking', data: 'xyz' },
          { type: 'text', text: 'So.' },
          { type: 'tool_use', id: 'a', input: {} },
          { type: 'thinking', signature: 's2' },
          { type: 'tool_use', id: 'b' },
        ],
      },
      { role: 'user', content: [{ tool_use_id: 'a' }, { tool_use_id: 'b' }] },
    ]);
  });

  it.each([
    ['max_tokens', 'length'],
    ['refusal', 'content-filter'],
    ['stop_sequence', 'stop'],
    ['model_context_window_exceeded', 'length'],
    ['pause_turn', 'pause_turn'],
  ])('finishes %s as %s', async (finish, reason) => {
    const { parts } = await talk([anthropicReply({ text: 'Hi', finish })]);
    expect(parts.at(-1)).toMatchObject({ type: 'finish', reason });
  });

  it('counts cached input, and lets later counts win', async () => {
    const usage = { input_tokens: 3, cache_read_input_tokens: 10, output_tokens: 1 };
    const { parts } = await talk([
      eventStream(
        sseEvent('message_start', { message: { usage } }),
        sseEvent('message_delta', {
          delta: { stop_reason: 'end_turn' },
          usage: { input_tokens: null, cache_creation_input_tokens: 4, output_tokens: 9 },
        }),
        sseEvent('message_stop', {}),
      ),
    ]);
    expect(parts.at(-1)).toMatchObject({ usage: { inputTokens: 17, outputTokens: 9 } });
  });

  it('reads a whole message of a proxy that does not stream', async () => {
    const { parts } = await talk([
      refusal(200, {
        type: 'message',
        content: [
          { type: 'text', text: 'Hi' },
          { type: 'tool_use', id: 'a', name: 'add', input: { a: 1 } },
        ],
        stop_reason: 'tool_use',
        usage: { input_tokens: 1, output_tokens: 2 },
      }),
    ]);
    expect(parts).toEqual([
      { type: 'text-delta', text: 'Hi' },
      { type: 'tool-call', call: { id: 'a', name: 'add', arguments: { a: 1 } } },
      { type: 'finish', reason: 'tool-calls', usage: { inputTokens: 1, outputTokens: 2 } },
    ]);
  });

  it('sends plain text files as text and refuses other ones', async () => {
    const file = (mediaType: string): ProviderRequest => ({
      ...ask,
      messages: [
        {
          ...textMessage('user', ''),
          parts: [{ type: 'file', mediaType, data: new TextEncoder().encode('Grüße') }],
        },
      ],
    });
    const { bodies } = await talk([hello], {}, file('text/plain'));
    expect(JSON.stringify(bodies)).toContain('"data":"Grüße"');
    expect((await talk([hello], {}, file('application/zip'))).error?.code).toBe('unsupported');
  });
});

describe('gemini', () => {
  const talk = async (
    replies: readonly Reply[],
    options: Partial<GeminiOptions> = {},
    request: ProviderRequest = ask,
  ): Promise<Outcome> => {
    const server = await geminiServer({ replies });
    const provider = gemini({ baseURL: server.baseURL, model: 'm', retry, ...options });
    return exchange(server, provider, request);
  };
  const hello = geminiReply({ text: 'Hi' });

  it('sends contents, token and limits where they belong', async () => {
    const { bodies, server } = await talk(
      [hello],
      { token: 't', temperature: 0.5, thinking: { level: 'low', includeThoughts: true } },
      { ...ask, system: 'Be brief.', maxOutputTokens: 9 },
    );
    expect(server.requests[0]?.headers).toMatchObject({ 'x-goog-api-key': 't' });
    expect(server.requests[0]?.path).toBe('/v1beta/models/m:streamGenerateContent');
    expect(bodies[0]).toEqual({
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [{ role: 'user', parts: [{ text: 'Hello' }] }],
      generationConfig: {
        temperature: 0.5,
        maxOutputTokens: 9,
        thinkingConfig: { thinkingLevel: 'LOW', includeThoughts: true },
      },
    });
  });

  it('keeps the query of a proxy beside its own', async () => {
    const server = await geminiServer({ replies: [hello] });
    const provider = gemini({ baseURL: `${server.baseURL}/?tenant=7`, model: 'm' });
    await exchange(server, provider);
    expect(server.requests[0]?.query.toString()).toBe('alt=sse&tenant=7');
  });

  it('sends signatures and ids back, makes up neither, and names results', async () => {
    const { parts } = await talk([
      geminiReply({
        calls: [
          { name: 'add', arguments: { a: 1 } },
          { id: 'g2', name: 'twice', arguments: {} },
        ],
      }),
    ]);
    const calls = callsOf(parts);
    expect(calls[0]?.id).toMatch(/^call_/);
    const { bodies } = await talk([hello], {}, { ...ask, messages: answered(calls) });
    expect(bodies[0]?.['contents']).toEqual([
      { role: 'user', parts: [{ text: 'Add.' }] },
      {
        role: 'model',
        parts: [
          { text: 'So.' },
          { functionCall: { name: 'add', args: { a: 1 } }, thoughtSignature: 'sealed' },
          { functionCall: { id: 'g2', name: 'twice', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'add', response: { output: 3 } } },
          { functionResponse: { id: 'g2', name: 'twice', response: { output: 3 } } },
        ],
      },
    ]);
  });

  it.each([
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content-filter'],
    ['PROHIBITED_CONTENT', 'content-filter'],
    ['LANGUAGE', 'LANGUAGE'],
  ])('finishes %s as %s', async (finish, reason) => {
    const { parts } = await talk([geminiReply({ text: 'Hi', finish })]);
    expect(parts.at(-1)).toMatchObject({ type: 'finish', reason });
  });

  it('reports a prompt that was blocked', async () => {
    const { error, bodies } = await talk([
      eventStream(sseData({ promptFeedback: { blockReason: 'SAFETY' } })),
    ]);
    expect(error).toMatchObject({ code: 'content-filter', retryable: false });
    expect(bodies).toHaveLength(1);
  });

  it('tries again when the model botched its call', async () => {
    const { error, bodies } = await talk([
      geminiReply({ finish: 'MALFORMED_FUNCTION_CALL' }),
      hello,
    ]);
    expect(error).toBeUndefined();
    expect(bodies).toHaveLength(2);
  });

  it('counts thoughts as output and takes the last count', async () => {
    const { parts } = await talk([
      eventStream(
        geminiFrame([{ text: 'Hi' }], { usageMetadata: { promptTokenCount: 3 } }),
        geminiFrame([], {
          finishReason: 'STOP',
          usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 2, thoughtsTokenCount: 5 },
        }).replaceAll('\n', '\r\n'),
      ),
    ]);
    expect(parts.at(-1)).toMatchObject({ usage: { inputTokens: 4, outputTokens: 7 } });
  });

  it('obeys the delay in the body of a refusal, and takes a bad key for one', async () => {
    const wait = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '40s' }];
    const slow = geminiError(429, 'You exceeded your current quota.', wait);
    expect((await talk([refusal(429, slow)])).error).toMatchObject({
      code: 'provider-rate-limit',
      retryable: true,
      details: { retryAfterMs: 40_000 },
    });
    const bad = geminiError(400, 'API key not valid. Please pass a valid API key.');
    expect((await talk([refusal(400, bad)])).error).toMatchObject({ code: 'provider-auth' });
  });

  it('sends audio and video as bytes or by address', async () => {
    const parts = [
      { type: 'audio', mediaType: 'audio/wav', data: new Uint8Array([1, 2]) },
      { type: 'video', mediaType: 'video/mp4', data: 'https://example.org/a.mp4' },
    ] as const;
    const messages = [{ ...textMessage('user', ''), parts }];
    const { bodies } = await talk([hello], {}, { ...ask, messages });
    expect(bodies[0]?.['contents']).toEqual([
      {
        role: 'user',
        parts: [
          { inlineData: { mimeType: 'audio/wav', data: 'AQI=' } },
          { fileData: { mimeType: 'video/mp4', fileUri: 'https://example.org/a.mp4' } },
        ],
      },
    ]);
  });
});

describe('openAIResponses', () => {
  const talk = async (
    replies: readonly Reply[],
    options: Partial<OpenAIResponsesOptions> = {},
    request: ProviderRequest = ask,
  ): Promise<Outcome> => {
    const server = await openAIResponsesServer({ replies });
    const provider = openAIResponses({ baseURL: server.baseURL, model: 'm', retry, ...options });
    return exchange(server, provider, request);
  };
  const hello = responsesReply({ text: 'Hi' });

  it('stores nothing and sends only what was asked for', async () => {
    const plain = await talk([hello]);
    expect(plain.bodies[0]).toEqual({
      model: 'm',
      stream: true,
      store: false,
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }],
    });
    const { bodies } = await talk(
      [hello],
      { reasoningEffort: 'low', reasoningSummary: 'auto', maxOutputTokens: 9 },
      { ...ask, system: 'Be brief.', tools: [tool] },
    );
    expect(bodies[0]).toMatchObject({
      instructions: 'Be brief.',
      reasoning: { effort: 'low', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
      max_output_tokens: 9,
      tools: [{ type: 'function', name: 'add', strict: false }],
    });
  });

  it('sends reasoning and item ids back before the call', async () => {
    const calls = callsOf(
      (await talk([responsesReply({ reasoning: 'Hm', calls: [{ name: 'add', arguments: {} }] })]))
        .parts,
    );
    const { bodies } = await talk([hello], {}, { ...ask, messages: answered(calls) });
    expect(bodies[0]?.['input']).toEqual([
      { role: 'user', content: [{ type: 'input_text', text: 'Add.' }] },
      { role: 'assistant', content: 'So.' },
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: 'Hm' }],
        encrypted_content: 'sealed',
      },
      { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'add', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_1', output: '3' },
    ]);
  });

  it('sends no reasoning back that the vendor could only look up, and no id that refers to it', async () => {
    const begun = { type: 'function_call', name: 'add', arguments: '{}' };
    const item = (output_index: number, item: object): string =>
      sseEvent('response.output_item.done', { output_index, item });
    const calls = callsOf(
      (
        await talk([
          eventStream(
            // Unasked, a model that reasons gives it without its encrypted content.
            item(0, { type: 'reasoning', id: 'rs_1', summary: [] }),
            item(1, { ...begun, id: 'fc_1', call_id: 'call_1' }),
            item(2, { ...begun, id: 'fc_2', call_id: 'call_2' }),
            sseEvent('response.completed', { response: { status: 'completed' } }),
          ),
        ])
      ).parts,
    );
    const { bodies, server } = await talk([hello], {}, { ...ask, messages: answered(calls) });
    expect(server.violations).toEqual([]);
    expect(bodies[0]?.['input']).toEqual([
      { role: 'user', content: [{ type: 'input_text', text: 'Add.' }] },
      { role: 'assistant', content: 'So.' },
      { ...begun, call_id: 'call_1' },
      { ...begun, call_id: 'call_2' },
      { type: 'function_call_output', call_id: 'call_1', output: '3' },
      { type: 'function_call_output', call_id: 'call_2', output: '3' },
    ]);
  });

  it('copes with servers that leave out places, numbers and done events', async () => {
    const call = { type: 'function_call', call_id: 'fc_a', name: 'add', arguments: '' };
    const { parts, error } = await talk([
      eventStream(
        sseEvent('response.created', { response: {} }),
        sseEvent('response.reasoning_text.delta', { delta: 'Hm' }),
        sseEvent('response.output_text.delta', { delta: 'So' }),
        sseEvent('response.output_item.added', { item: call }),
        sseEvent('response.function_call_arguments.delta', { delta: '{"a":' }),
        sseEvent('response.function_call_arguments.delta', { delta: '1}' }),
        sseEvent('response.completed', { response: { status: 'completed' } }),
        'data: [DONE]\n\n',
      ),
    ]);
    expect(error).toBeUndefined();
    expect(parts).toMatchObject([
      { type: 'reasoning-delta', text: 'Hm' },
      { type: 'text-delta', text: 'So' },
      { type: 'tool-call', call: { id: 'fc_a', name: 'add', arguments: { a: 1 } } },
      { type: 'finish', reason: 'tool-calls' },
    ]);
  });

  it('reads a whole response, and a refusal in it', async () => {
    const { parts } = await talk([
      refusal(200, {
        object: 'response',
        status: 'completed',
        output: [{ type: 'message', content: [{ type: 'refusal', refusal: 'I may not.' }] }],
        usage: { input_tokens: 1, output_tokens: 2 },
      }),
    ]);
    expect(parts).toEqual([
      { type: 'text-delta', text: 'I may not.' },
      {
        type: 'finish',
        reason: 'content-filter',
        usage: { inputTokens: 1, outputTokens: 2 },
      },
    ]);
  });

  it.each([
    ['max_output_tokens', 'length'],
    ['content_filter', 'content-filter'],
    ['steered', 'steered'],
  ])('finishes incomplete %s as %s', async (finish, reason) => {
    const { parts } = await talk([responsesReply({ text: 'Hi', finish })]);
    expect(parts.at(-1)).toMatchObject({ type: 'finish', reason });
  });

  it.each([
    ['rate_limit_exceeded', 'provider-rate-limit'],
    ['server_error', 'provider-overloaded'],
    ['context_length_exceeded', 'context-length'],
    ['content_policy_violation', 'content-filter'],
    ['something_else', 'provider-protocol'],
  ])('types a response that failed with %s as %s', async (code, expected) => {
    const response = { status: 'failed', error: { code, message: 'It failed.' } };
    const frames = [
      sseEvent('response.output_text.delta', { delta: 'So' }),
      sseEvent('response.failed', { response }),
    ];
    const { parts, error } = await talk([eventStream(...frames)]);
    expect(parts).toHaveLength(1);
    expect(error).toMatchObject({ code: expected });
  });
});
