/** A strict server of Anthropic's Messages API. */
import { bearerOf, startProtocol, type ProtocolServerOptions } from './http-protocol.ts';
import type { LoopbackServer } from './loopback-server.ts';
import type { RecordedRequest } from './recorded-request.ts';
import type { Reply } from './reply.ts';
import {
  all,
  anyRecord,
  anything,
  either,
  isRecord,
  listOf,
  oneOf,
  primitive,
  record,
  tagged,
  words,
  type Shape,
} from './shape.ts';
import { eventStream, fragmentsOf, piecesOf, sseEvent, type SpokenReply } from './spoken-reply.ts';

const image = oneOf('image/jpeg', 'image/png', 'image/gif', 'image/webp');
const byUrl = record({ type: anything, url: words });
const byBytes = (mediaType: Shape): Shape =>
  record({ type: anything, media_type: mediaType, data: words });

const cached = { 'cache_control?': anyRecord };
const someText: Shape = (value, path) =>
  typeof value === 'string' && /\S/.test(value)
    ? undefined
    : `${path}: text content blocks must contain non-whitespace text`;
const callId: Shape = (value, path) =>
  typeof value === 'string' && /^[\w-]+$/.test(value) ? undefined : `${path} is no id`;
const textBlock = record({ type: anything, text: someText, ...cached });
const userBlock = tagged('type', {
  text: textBlock,
  image: record({ type: anything, source: tagged('type', { url: byUrl, base64: byBytes(image) }) }),
  document: record({
    ...cached,
    'title?': words,
    type: anything,
    source: tagged('type', {
      url: byUrl,
      base64: byBytes(oneOf('application/pdf')),
      text: byBytes(oneOf('text/plain')),
    }),
  }),
  tool_result: record({
    type: anything,
    tool_use_id: callId,
    'content?': either(primitive('string'), listOf(anyRecord)),
    'is_error?': primitive('boolean'),
    ...cached,
  }),
});
const assistantBlock = tagged('type', {
  text: textBlock,
  thinking: record({ type: anything, thinking: primitive('string'), signature: words }),
  redacted_thinking: record({ type: anything, data: words }),
  tool_use: record({ type: anything, id: callId, name: words, input: anyRecord, ...cached }),
});

const message = tagged('role', {
  user: record({ role: anything, content: either(words, listOf(userBlock, 1)) }),
  assistant: record({ role: anything, content: either(words, listOf(assistantBlock, 1)) }),
});

/** All results of one turn stand first in the next user message, and there is one for every call. */
const answeredCalls: Shape = (messages) => {
  let open: unknown[] = [];
  for (const { role, content } of messages as Record<string, unknown>[]) {
    const blocks = Array.isArray(content) ? (content as Record<string, unknown>[]) : [];
    const results = blocks.filter(({ type }) => type === 'tool_result');
    if (blocks.slice(0, results.length).some(({ type }) => type !== 'tool_result'))
      return 'tool_result blocks do not come first';
    const answered = results.map((block) => block['tool_use_id']);
    if (role === 'user' && open.some((id) => !answered.includes(id)))
      return `tool_use ${open.join()} has no tool_result right behind it`;
    const stray = answered.find((id) => !open.includes(id));
    if (stray !== undefined) return `tool_result ${JSON.stringify(stray)} answers no tool_use`;
    open = blocks.filter(({ type }) => type === 'tool_use').map(({ id }) => id);
  }
  return open.length === 0 ? undefined : `tool_use ${open.join()} is not answered`;
};

/** The rules of thinking, and of who speaks first. */
const order: Shape = (request) => {
  const {
    thinking: given,
    tool_choice: choice,
    max_tokens: most,
    messages,
  } = request as {
    thinking?: Record<string, unknown>;
    tool_choice?: Record<string, unknown>;
    max_tokens: number;
    messages: { role: string; content: unknown }[];
  };
  if (messages[0]?.role !== 'user') return 'messages: first message must use the "user" role';
  if (given?.['type'] !== 'enabled') return undefined;
  const budget = Number(given['budget_tokens']);
  if (budget < 1024) return 'thinking.enabled.budget_tokens: Input should be at least 1024';
  if (budget >= most) return '`max_tokens` must be greater than `thinking.budget_tokens`';
  if (choice?.['type'] === 'any' || choice?.['type'] === 'tool')
    return 'Thinking may not be enabled when tool_choice forces tool use.';
  const blocksOf = (content: unknown): Record<string, unknown>[] =>
    Array.isArray(content) ? (content as Record<string, unknown>[]) : [];
  const isResult = blocksOf(messages.at(-1)?.content)[0]?.['type'] === 'tool_result';
  const first = blocksOf(messages.at(-2)?.content)[0]?.['type'];
  return isResult && first !== 'thinking' && first !== 'redacted_thinking'
    ? `Expected \`thinking\` or \`redacted_thinking\`, but found \`${String(first)}\`.`
    : undefined;
};

const thinking = tagged('type', {
  enabled: record({ type: anything, budget_tokens: primitive('number'), 'display?': words }),
  adaptive: record({ type: anything, 'display?': words }),
  disabled: record({ type: anything }),
});

const fields = record({
  model: words,
  max_tokens: primitive('number'),
  messages: all(listOf(message, 1), answeredCalls),
  stream: oneOf(true),
  'system?': either(words, listOf(textBlock, 1)),
  'metadata?': anyRecord,
  ...cached,
  'stop_sequences?': listOf(words),
  'output_config?': anyRecord,
  'service_tier?': words,
  'speed?': words,
  'temperature?': primitive('number'),
  'top_p?': primitive('number'),
  'top_k?': primitive('number'),
  'thinking?': thinking,
  'tool_choice?': tagged('type', {
    auto: anyRecord,
    any: anyRecord,
    none: anyRecord,
    tool: record({
      type: anything,
      name: words,
      'disable_parallel_tool_use?': primitive('boolean'),
    }),
  }),
  'tools?': listOf(
    record({
      name: words,
      'type?': oneOf('custom'),
      'description?': primitive('string'),
      'strict?': primitive('boolean'),
      'eager_input_streaming?': primitive('boolean'),
      ...cached,
      input_schema: (value, path) =>
        isRecord(value) && value['type'] === 'object' ? undefined : `${path}.type is not object`,
    }),
    1,
  ),
});

const body = all(fields, order);

function complaint({ headers, body: sent }: RecordedRequest): string | undefined {
  const version = headers['anthropic-version'] ?? '';
  if (!['2026-10-21', '2023-06-01'].includes(version)) return `anthropic-version is ${version}`;
  const gone = ['temperature', 'top_p', 'top_k'].find((name) => isRecord(sent) && name in sent);
  if (version === '2026-10-21' && gone !== undefined)
    return `${gone}: Extra inputs are not permitted`;
  const fromPage = headers['origin'] !== undefined;
  if (fromPage && headers['anthropic-dangerous-direct-browser-access'] !== 'true')
    return "CORS requests must set 'anthropic-dangerous-direct-browser-access' header";
  return undefined;
}

/**
 * Starts a server at `<origin>/v1/messages`. It refuses unknown fields, unanswered calls, a temperature with the
 * version that has none, and pages that do not say they are.
 */
export function anthropicServer(options: ProtocolServerOptions = {}): Promise<LoopbackServer> {
  return startProtocol(
    {
      basePath: '/v1',
      path: /^\/v1\/messages$/,
      allowedHeaders: [
        'authorization',
        'x-api-key',
        'content-type',
        'anthropic-version',
        'anthropic-dangerous-direct-browser-access',
      ],
      body,
      complaint,
      credential: (request) => request.headers['x-api-key'] ?? bearerOf(request),
      error: anthropicError,
    },
    options,
  );
}

/** Anthropic's body of an error, also the data of an `error` event. */
export function anthropicError(status: number, message: string): Record<string, unknown> {
  const type =
    {
      401: 'authentication_error',
      404: 'not_found_error',
      429: 'rate_limit_error',
      529: 'overloaded_error',
    }[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  return { type: 'error', error: { type, message }, request_id: 'req_1' };
}

/** A whole reply with its events in order, a `ping` and an event nobody knows among them. */
export function anthropicReply(spoken: SpokenReply): Reply {
  const frames: string[] = [];
  const usage = { input_tokens: spoken.usage?.input ?? 0, output_tokens: 1 };
  frames.push(
    sseEvent('message_start', {
      message: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        content: [],
        stop_reason: null,
        usage,
      },
    }),
    sseEvent('ping', {}),
  );
  let index = 0;
  const block = (start: object, deltas: readonly object[]): void => {
    frames.push(
      sseEvent('content_block_start', { index, content_block: start }),
      ...deltas.map((delta) => sseEvent('content_block_delta', { index, delta })),
      sseEvent('content_block_stop', { index }),
    );
    index += 1;
  };
  const thoughts = piecesOf(spoken.reasoning);
  if (thoughts.length > 0)
    block({ type: 'thinking', thinking: '', signature: '' }, [
      ...thoughts.map((piece) => ({ type: 'thinking_delta', thinking: piece })),
      { type: 'signature_delta', signature: 'sealed' },
    ]);
  const said = piecesOf(spoken.text);
  if (said.length > 0)
    block(
      { type: 'text', text: '' },
      said.map((piece) => ({ type: 'text_delta', text: piece })),
    );
  frames.push(sseEvent('something_new', { index }));
  const calls = fragmentsOf(spoken);
  for (const { id, name, fragments } of calls)
    block({ type: 'tool_use', id, name, input: {} }, [
      { type: 'input_json_delta', partial_json: '' },
      ...fragments.map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
    ]);
  frames.push(
    sseEvent('message_delta', {
      delta: {
        stop_reason: spoken.finish ?? (calls.length > 0 ? 'tool_use' : 'end_turn'),
        stop_sequence: null,
      },
      usage: { input_tokens: null, output_tokens: spoken.usage?.output ?? 1 },
    }),
    sseEvent('message_stop', {}),
  );
  return eventStream(...frames);
}
