/** A strict server of OpenAI's Responses API. */
import { bearerOf, startProtocol, type ProtocolServerOptions } from './http-protocol.ts';
import type { LoopbackServer } from './loopback-server.ts';
import { openAIError } from './openai-chat.ts';
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

const text = primitive('string');

const content = tagged('type', {
  input_text: record({ type: anything, text: words }),
  input_image: record({ type: anything, image_url: words, detail: oneOf('auto', 'low', 'high') }),
  input_file: either(
    record({ type: anything, file_url: words }),
    record({ type: anything, filename: words, file_data: words }),
  ),
});

const spokenMessage = record({
  role: oneOf('user', 'assistant', 'system', 'developer'),
  content: either(listOf(content, 1), words),
  'type?': oneOf('message'),
  'phase?': oneOf('commentary', 'final_answer', null),
});

const typedItem = tagged('type', {
  message: spokenMessage,
  function_call: record({
    type: anything,
    'id?': words,
    call_id: words,
    name: words,
    arguments: text,
    'status?': words,
  }),
  function_call_output: record({ type: anything, call_id: words, output: text }),
  reasoning: record({
    type: anything,
    id: words,
    summary: listOf(record({ type: oneOf('summary_text'), text })),
    'content?': listOf(anyRecord),
    'encrypted_content?': either(oneOf(null), words),
    'status?': words,
  }),
});

const item: Shape = (value, path) =>
  isRecord(value) && 'type' in value ? typedItem(value, path) : spokenMessage(value, path);

/** Outputs answer calls that stand before them, and reasoning stands before what it led to. */
const order: Shape = (items) => {
  const calls = new Set<unknown>();
  const list = items as Record<string, unknown>[];
  for (const [index, { type, call_id: id }] of list.entries()) {
    if (type === 'function_call') calls.add(id);
    if (type === 'function_call_output' && !calls.delete(id))
      return `no call ${String(id)} for this output`;
    const next = list[index + 1]?.['type'] ?? list[index + 1]?.['role'];
    if (
      type === 'reasoning' &&
      next !== 'function_call' &&
      next !== 'reasoning' &&
      next !== 'assistant'
    )
      return 'a reasoning item stands alone';
  }
  return calls.size === 0 ? undefined : `no output for call ${[...calls].join()}`;
};

/** The vendor looks up by its id what it kept nothing of. */
const sealed: Shape = (request) => {
  const { store, input } = request as { store?: unknown; input: Record<string, unknown>[] };
  const bare = input.find(
    ({ type, encrypted_content: seal, content: text }) => type === 'reasoning' && !seal && !text,
  );
  return store === false && bare
    ? `Item with id '${String(bare['id'])}' not found. Items are not persisted when \`store\` is set to false.`
    : undefined;
};

const fields = record({
  model: words,
  input: all(listOf(item, 1), order),
  stream: oneOf(true),
  'instructions?': words,
  'store?': primitive('boolean'),
  'include?': listOf(words),
  'temperature?': primitive('number'),
  'max_output_tokens?': primitive('number'),
  'parallel_tool_calls?': primitive('boolean'),
  'tool_choice?': either(
    oneOf('none', 'auto', 'required'),
    record({ type: oneOf('function'), name: words }),
  ),
  'reasoning?': record({
    'effort?': oneOf('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'),
    'summary?': oneOf('auto', 'concise', 'detailed'),
  }),
  'tools?': listOf(
    record({
      type: oneOf('function'),
      name: words,
      'description?': text,
      parameters: anyRecord,
      'strict?': primitive('boolean'),
    }),
    1,
  ),
});

const body = all(fields, sealed);

/** Starts a server at `<origin>/v1/responses`; it refuses unknown fields and histories that do not fit together. */
export function openAIResponsesServer(
  options: ProtocolServerOptions = {},
): Promise<LoopbackServer> {
  return startProtocol(
    {
      basePath: '/v1',
      path: /^\/v1\/responses$/,
      allowedHeaders: ['authorization', 'content-type'],
      body,
      credential: bearerOf,
      error: openAIError,
    },
    options,
  );
}

/** A whole reply with its events in order, each with its `sequence_number`. */
export function responsesReply(spoken: SpokenReply): Reply {
  const frames: string[] = [];
  const output: unknown[] = [];
  const emit = (type: string, fields: Record<string, unknown>): void => {
    if (type === 'response.output_item.done') output.push(fields['item']);
    frames.push(sseEvent(type, { ...fields, sequence_number: frames.length }));
  };
  const response = {
    id: 'resp_1',
    object: 'response',
    status: 'in_progress',
    output: [],
    error: null,
  };
  emit('response.created', { response });
  emit('response.in_progress', { response });
  let index = 0;
  const thoughts = piecesOf(spoken.reasoning);
  if (thoughts.length > 0) {
    const ids = { item_id: 'rs_1', output_index: index, summary_index: 0 };
    const begun = { type: 'reasoning', id: 'rs_1', summary: [] };
    emit('response.output_item.added', { output_index: index, item: begun });
    emit('response.reasoning_summary_part.added', {
      ...ids,
      part: { type: 'summary_text', text: '' },
    });
    for (const delta of thoughts) emit('response.reasoning_summary_text.delta', { ...ids, delta });
    const summary = { type: 'summary_text', text: thoughts.join('') };
    emit('response.reasoning_summary_text.done', { ...ids, text: summary.text });
    emit('response.reasoning_summary_part.done', { ...ids, part: summary });
    const item = { ...begun, summary: [summary], encrypted_content: 'sealed' };
    emit('response.output_item.done', { output_index: index, item });
    index += 1;
  }
  const said = piecesOf(spoken.text);
  if (said.length > 0) {
    const ids = { item_id: 'msg_1', output_index: index, content_index: 0 };
    const begun = { type: 'message', id: 'msg_1', role: 'assistant', content: [] };
    emit('response.output_item.added', { output_index: index, item: begun });
    emit('response.content_part.added', { ...ids, part: { type: 'output_text', text: '' } });
    for (const delta of said) emit('response.output_text.delta', { ...ids, delta, logprobs: [] });
    const part = { type: 'output_text', text: said.join(''), annotations: [] };
    emit('response.output_text.done', { ...ids, text: part.text });
    emit('response.content_part.done', { ...ids, part });
    emit('response.output_item.done', { output_index: index, item: { ...begun, content: [part] } });
    index += 1;
  }
  for (const { id, name, json, fragments } of fragmentsOf(spoken)) {
    const ids = { item_id: `fc_${index}`, output_index: index };
    const begun = { type: 'function_call', id: ids.item_id, call_id: id, name, arguments: '' };
    emit('response.output_item.added', { output_index: index, item: begun });
    for (const delta of fragments)
      emit('response.function_call_arguments.delta', { ...ids, delta });
    emit('response.function_call_arguments.done', { ...ids, arguments: json });
    emit('response.output_item.done', { output_index: index, item: { ...begun, arguments: json } });
    index += 1;
  }
  const status = spoken.finish === undefined ? 'completed' : 'incomplete';
  emit(`response.${status}`, {
    response: {
      ...response,
      status,
      output,
      ...(spoken.finish === undefined ? {} : { incomplete_details: { reason: spoken.finish } }),
      ...(spoken.usage === undefined
        ? {}
        : { usage: { input_tokens: spoken.usage.input, output_tokens: spoken.usage.output } }),
    },
  });
  return eventStream(...frames);
}
