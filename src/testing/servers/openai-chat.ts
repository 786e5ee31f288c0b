/** A strict server of chat completions, as OpenAI and its many imitators speak them. */
import { bearerOf, startProtocol, type ProtocolServerOptions } from './http-protocol.ts';
import type { LoopbackServer } from './loopback-server.ts';
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
import { eventStream, fragmentsOf, piecesOf, sseData, type SpokenReply } from './spoken-reply.ts';

const text = primitive('string');

const contentPart = tagged('type', {
  text: record({ type: anything, text: words }),
  image_url: record({ type: anything, image_url: record({ url: words, 'detail?': text }) }),
  input_audio: record({
    type: anything,
    input_audio: record({ data: words, format: oneOf('wav', 'mp3') }),
  }),
  file: record({ type: anything, file: record({ filename: words, file_data: words }) }),
});

const toolCall = record({
  id: words,
  type: oneOf('function'),
  function: record({ name: words, arguments: words }),
  // Gemini's endpoint of this kind wants its signatures back.
  'extra_content?': anyRecord,
});

const assistant = all(
  record({
    role: anything,
    content: either(oneOf(null), text),
    // Reasoning servers take their thoughts back under either name.
    'reasoning_content?': text,
    'reasoning?': text,
    'tool_calls?': listOf(toolCall, 1),
  }),
  (value, path) =>
    isRecord(value) && value['content'] === null && value['tool_calls'] === undefined
      ? `${path}.content is null without tool_calls`
      : undefined,
);

const message = tagged('role', {
  system: record({ role: anything, content: words }),
  developer: record({ role: anything, content: words }),
  user: record({ role: anything, content: either(listOf(contentPart, 1), text) }),
  assistant,
  tool: record({ role: anything, content: text, tool_call_id: words }),
});

/** Every call is answered right behind the message that made it, and nothing else is. */
const answeredCalls: Shape = (messages) => {
  const open = new Set<unknown>();
  for (const entry of messages as Record<string, unknown>[]) {
    const { role, tool_call_id: id, tool_calls: calls = [] } = entry;
    if (role === 'tool' && !open.delete(id)) return `tool_call_id ${String(id)} answers no call`;
    if (role !== 'tool' && open.size > 0) return `call ${[...open].join()} is not answered`;
    for (const call of calls as { readonly id: string }[]) open.add(call.id);
  }
  return open.size === 0 ? undefined : `call ${[...open].join()} is not answered`;
};

const body = record({
  model: words,
  messages: all(listOf(message, 1), answeredCalls),
  stream: oneOf(true),
  'stream_options?': record({
    'include_usage?': primitive('boolean'),
    'include_obfuscation?': primitive('boolean'),
  }),
  'tools?': listOf(
    record({
      type: oneOf('function'),
      function: record({
        name: words,
        'description?': text,
        'parameters?': anyRecord,
        'strict?': primitive('boolean'),
      }),
    }),
    1,
  ),
  'tool_choice?': either(
    oneOf('none', 'auto', 'required'),
    record({ type: oneOf('function'), function: record({ name: words }) }),
  ),
  'top_p?': primitive('number'),
  'stop?': anything,
  'seed?': primitive('number'),
  'presence_penalty?': primitive('number'),
  'frequency_penalty?': primitive('number'),
  'response_format?': anyRecord,
  'verbosity?': oneOf('low', 'medium', 'high'),
  'parallel_tool_calls?': primitive('boolean'),
  'temperature?': primitive('number'),
  'max_tokens?': primitive('number'),
  'max_completion_tokens?': primitive('number'),
  'reasoning_effort?': oneOf('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'),
});

/**
 * Starts a server at `<origin>/v1/chat/completions` that refuses unknown fields, unanswered calls and, from
 * pages, any header but `authorization` and `content-type`.
 *
 * @example
 * const server = await openAIChatServer({ replies: [chatReply({ text: ['Hel', 'lo'] })] });
 * const provider = openAICompatible({ baseURL: server.baseURL, model: 'any' });
 */
export function openAIChatServer(options: ProtocolServerOptions = {}): Promise<LoopbackServer> {
  return startProtocol(
    {
      basePath: '/v1',
      path: /^\/v1\/chat\/completions$/,
      allowedHeaders: ['authorization', 'content-type'],
      body,
      credential: bearerOf,
      error: openAIError,
    },
    options,
  );
}

/** OpenAI's body of an error; `code` may be a word, a number (llama.cpp) or null. */
export function openAIError(
  status: number,
  message: string,
  code: string | number | null = null,
): unknown {
  const type =
    status === 429 ? 'rate_limit_error' : status >= 500 ? 'server_error' : 'invalid_request_error';
  return { error: { message, type, param: null, code } };
}

function chunkFrame(choices: readonly object[], more: object): string {
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 0, model: 'scripted' };
  return sseData({ ...head, choices, ...more });
}

/** One frame of a chat completion. */
export function chatFrame(
  delta: Readonly<Record<string, unknown>>,
  finish: string | null = null,
): string {
  return chunkFrame([{ index: 0, delta, finish_reason: finish }], { usage: null });
}

/** The frame behind which nothing counts. */
export const chatDone = 'data: [DONE]\n\n';

/** A whole reply as OpenAI streams it: role, reasoning, text, calls in fragments, finish, usage, `[DONE]`. */
export function chatReply(spoken: SpokenReply): Reply {
  const calls = fragmentsOf(spoken);
  return eventStream(
    chatFrame({ role: 'assistant', content: '', refusal: null }),
    ...piecesOf(spoken.reasoning).map((piece) => chatFrame({ reasoning_content: piece })),
    ...piecesOf(spoken.text).map((piece) => chatFrame({ content: piece })),
    ...calls.flatMap(({ id, name, fragments }, index) => [
      chatFrame({
        tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }],
      }),
      ...fragments.map((piece) =>
        chatFrame({ tool_calls: [{ index, function: { arguments: piece } }] }),
      ),
    ]),
    chatFrame({}, spoken.finish ?? (calls.length > 0 ? 'tool_calls' : 'stop')),
    ...(spoken.usage === undefined
      ? []
      : [
          chunkFrame([], {
            usage: {
              prompt_tokens: spoken.usage.input,
              completion_tokens: spoken.usage.output,
              total_tokens: spoken.usage.input + spoken.usage.output,
            },
          }),
        ]),
    chatDone,
  );
}
