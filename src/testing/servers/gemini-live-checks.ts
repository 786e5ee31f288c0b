/** What the Gemini Live server holds against a client's message before it looks at the state of the session. */
import { recordOf, stringOf } from '../../providers/chat/json.ts';
import { bytesOfBase64, isBase64 } from './pcm-bytes.ts';

/** A JSON object. */
type Json = Readonly<Record<string, unknown>>;

const unionKeys = ['setup', 'clientContent', 'realtimeInput', 'toolResponse', 'contextUpdate'];

const setupKeys = new Set([
  'model',
  'generationConfig',
  'systemInstruction',
  'tools',
  'realtimeInputConfig',
  'inputAudioTranscription',
  'outputAudioTranscription',
  'sessionResumption',
  'contextWindowCompression',
  'proactivity',
  'historyConfig',
  'safetySettings',
]);

const inputKeys = ['audio', 'video', 'text', 'activityStart', 'activityEnd', 'audioStreamEnd'];

/** A key in snake_case anywhere, outside of what belongs to the client's own tools. */
function snakeKey(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.map(snakeKey).find((key) => key !== undefined);
  for (const [key, inner] of Object.entries(recordOf(value))) {
    if (key.includes('_')) return key;
    if (['parametersJsonSchema', 'parameters', 'response', 'args'].includes(key)) continue;
    const found = snakeKey(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The problem with a message's shape; undefined when there is none. */
export function liveProblem(message: Json): string | undefined {
  const keys = Object.keys(message);
  const [key = ''] = keys;
  if (keys.length !== 1) return `${keys.length} top-level keys (${keys.join(', ')}) instead of one`;
  if (!unionKeys.includes(key)) return `unknown message "${key}"`;
  const snake = snakeKey(message);
  if (snake !== undefined) return `the key "${snake}" is not camelCase`;
  const body = recordOf(message[key]);
  if (key === 'setup') return setupProblem(body);
  if (key === 'realtimeInput') return inputProblem(body);
  if (key === 'toolResponse') return responseProblem(body);
  return undefined;
}

function setupProblem(setup: Json): string | undefined {
  const stray = Object.keys(setup).find((key) => !setupKeys.has(key));
  if (stray !== undefined) return `setup has the unknown field "${stray}"`;
  if (!stringOf(setup['model']).startsWith('models/')) return 'setup.model is not models/<id>';
  const { responseModalities } = recordOf(setup['generationConfig']) as {
    responseModalities?: unknown;
  };
  return Array.isArray(responseModalities) && responseModalities.join() === 'AUDIO'
    ? undefined
    : 'responseModalities is not ["AUDIO"]';
}

function inputProblem(input: Json): string | undefined {
  const keys = Object.keys(input);
  const stray = keys.find((key) => !inputKeys.includes(key));
  if (stray !== undefined) return `realtimeInput has the unknown or retired field "${stray}"`;
  if (keys.length !== 1) return `realtimeInput with ${keys.length} fields`;
  if (!('audio' in input)) return undefined;
  const { data, mimeType } = recordOf(input['audio']) as { data?: unknown; mimeType?: unknown };
  if (mimeType !== 'audio/pcm;rate=16000') return `audio of type "${String(mimeType)}"`;
  if (!isBase64(stringOf(data))) return 'audio that is no base64';
  return bytesOfBase64(stringOf(data)).length % 2 === 1 ? 'half a sample' : undefined;
}

function responseProblem(body: Json): string | undefined {
  const responses = body['functionResponses'];
  if (!Array.isArray(responses) || responses.length === 0) return 'toolResponse without responses';
  for (const each of responses.map(recordOf)) {
    if (stringOf(each['id']) === '') return 'a function response without id';
    const { response } = each;
    if (typeof response !== 'object' || response === null || Array.isArray(response))
      return 'a function response that is no object';
  }
  return undefined;
}
