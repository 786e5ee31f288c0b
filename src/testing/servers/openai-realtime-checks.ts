/** What the OpenAI Realtime server holds against a client's event before it looks at the state of the session. */
import { recordOf, stringOf } from '../../providers/chat/json.ts';
import { bytesOfBase64, isBase64 } from './pcm-bytes.ts';

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

const fields: Readonly<Record<string, readonly string[]>> = {
  'session.update': ['session'],
  'input_audio_buffer.append': ['audio'],
  'input_audio_buffer.commit': [],
  'input_audio_buffer.clear': [],
  'conversation.item.create': ['item', 'previous_item_id'],
  'conversation.item.truncate': ['item_id', 'content_index', 'audio_end_ms'],
  'conversation.item.delete': ['item_id'],
  'conversation.item.retrieve': ['item_id'],
  'response.create': ['response'],
  'response.cancel': ['response_id'],
};

const sessionFields = new Set([
  'type',
  'model',
  'instructions',
  'output_modalities',
  'audio',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'reasoning',
  'max_output_tokens',
  'truncation',
  'tracing',
  'include',
  'prompt',
]);

/** What the objects within a session, and what is asked of a response, may have. */
const inner = {
  input: ['format', 'noise_reduction', 'transcription', 'turn_detection'],
  output: ['format', 'voice', 'speed'],
  transcription: ['model', 'language', 'languages', 'prompt', 'keywords', 'delay'],
  server_vad: [
    'type',
    'threshold',
    'prefix_padding_ms',
    'silence_duration_ms',
    'create_response',
    'interrupt_response',
    'idle_timeout_ms',
  ],
  semantic_vad: ['type', 'eagerness', 'create_response', 'interrupt_response'],
  response: [
    'conversation',
    'input',
    'instructions',
    'output_modalities',
    'tools',
    'tool_choice',
    'metadata',
    'max_output_tokens',
    'audio',
    'reasoning',
  ],
} as const;

function strayIn(name: keyof typeof inner, value: unknown): string | undefined {
  const known: readonly string[] = inner[name];
  const stray = Object.keys(recordOf(value)).find((key) => !known.includes(key));
  return stray === undefined ? undefined : `${name} has the unknown field "${stray}"`;
}

const contentTypes: Readonly<Record<string, readonly string[]>> = {
  system: ['input_text'],
  user: ['input_text', 'input_audio', 'input_image'],
  assistant: ['output_text'],
};

const voices = new Set('alloy ash ballad coral echo sage shimmer verse marin cedar'.split(' '));

/** The problem with an event's shape; undefined when there is none. */
export function shapeProblem(event: Json): string | undefined {
  const type = stringOf(event['type']);
  const known = fields[type];
  if (!known) return `unknown event type "${type}"`;
  const stray = Object.keys(event).find(
    (key) => key !== 'type' && key !== 'event_id' && !known.includes(key),
  );
  if (stray !== undefined) return `${type} has the unknown field "${stray}"`;
  if (type === 'session.update') return sessionProblem(recordOf(event['session']));
  if (type === 'input_audio_buffer.append') return audioProblem(event['audio']);
  if (type === 'conversation.item.create') return itemProblem(recordOf(event['item']));
  if (type === 'response.create') return responseProblem(event['response']);
  return undefined;
}

function sessionProblem(session: Json): string | undefined {
  if (session['type'] !== 'realtime') return 'session.update without session.type "realtime"';
  const stray = Object.keys(session).find((key) => !sessionFields.has(key));
  if (stray !== undefined) return `session.update has the unknown field "${stray}"`;
  const modalities = session['output_modalities'];
  if (modalities !== undefined && !(Array.isArray(modalities) && modalities.length === 1))
    return 'output_modalities must be ["audio"] or ["text"]';
  const audio = recordOf(session['audio']);
  for (const side of ['input', 'output'] as const) {
    const format = recordOf(audio[side])['format'];
    if (format === undefined) continue;
    const { type, rate } = recordOf(format) as { type?: unknown; rate?: unknown };
    if (type !== 'audio/pcm' || rate !== 24_000) return `audio.${side}.format is not PCM of 24 kHz`;
  }
  const { transcription, turn_detection: detection } = recordOf(audio['input']);
  const { type: vad } = recordOf(detection);
  if (detection && vad !== 'server_vad' && vad !== 'semantic_vad')
    return `turn_detection of type "${String(vad)}"`;
  const odd =
    strayIn('input', audio['input']) ??
    strayIn('output', audio['output']) ??
    strayIn('transcription', transcription) ??
    (detection ? strayIn(vad as 'server_vad', detection) : undefined);
  if (odd !== undefined) return odd;
  const voice = recordOf(audio['output'])['voice'];
  if (typeof voice === 'string' && !voices.has(voice)) return `there is no voice "${voice}"`;
  return toolsProblem(session['tools']);
}

function toolsProblem(tools: unknown): string | undefined {
  if (tools === undefined) return undefined;
  if (!Array.isArray(tools)) return 'tools is no array';
  for (const tool of tools.map(recordOf)) {
    if (tool['type'] !== 'function') return `a tool of type "${String(tool['type'])}"`;
    // Chat completions nest these in `function`.
    if (typeof tool['name'] !== 'string') return 'a tool without a name';
    if (recordOf(tool['parameters'])['type'] !== 'object') return 'parameters that are no object';
  }
  return undefined;
}

function audioProblem(audio: unknown): string | undefined {
  if (typeof audio !== 'string' || audio === '') return 'append without audio';
  if (!isBase64(audio)) return 'append with audio that is no base64';
  const bytes = bytesOfBase64(audio).length;
  if (bytes % 2 === 1) return 'append with half a sample';
  return bytes > 15 * 1024 * 1024 ? 'append with more than 15 MiB' : undefined;
}

function itemProblem(item: Json): string | undefined {
  const { type, role, content } = item as { type?: unknown; role?: unknown; content?: unknown };
  if (type === 'function_call_output')
    return typeof item['call_id'] === 'string' && typeof item['output'] === 'string'
      ? undefined
      : 'function_call_output without call_id or with an output that is no string';
  if (type === 'function_call')
    return typeof item['arguments'] === 'string' ? undefined : 'function_call without arguments';
  if (type !== 'message') return `an item of type "${String(type)}"`;
  const allowed = contentTypes[String(role)];
  if (!allowed) return `a message of role "${String(role)}"`;
  if (!Array.isArray(content) || content.length === 0) return 'a message without content';
  const odd = content.map(recordOf).find((part) => !allowed.includes(String(part['type'])));
  return odd && `${String(role)} content of type "${String(odd['type'])}"`;
}

function responseProblem(response: unknown): string | undefined {
  const stray = strayIn('response', response);
  if (stray !== undefined) return stray;
  const modalities = recordOf(response)['output_modalities'];
  return modalities === undefined || (Array.isArray(modalities) && modalities.length === 1)
    ? undefined
    : 'response.create with both modalities';
}
