/** Strict servers of OpenAI-style speech endpoints: `/audio/transcriptions` and `/audio/speech`. */
import { bearerOf, startProtocol, type ProtocolServerOptions } from './http-protocol.ts';
import type { LoopbackServer } from './loopback-server.ts';
import { openAIError } from './openai-chat.ts';
import type { Reply } from './reply.ts';
import { isRecord, oneOf, primitive, record, words } from './shape.ts';

const allowedHeaders = ['authorization', 'content-type'];

const formFields = new Set([
  'file',
  'model',
  'language',
  'prompt',
  'response_format',
  'temperature',
  'timestamp_granularities[]',
]);

function formComplaint(body: unknown): string | undefined {
  if (!isRecord(body)) return 'the body is no form';
  const stray = Object.keys(body).find((name) => !formFields.has(name));
  if (stray !== undefined) return `form field ${stray} is unknown`;
  if (!(body['file'] instanceof Blob) || body['file'].size === 0)
    return 'form field file is no file';
  return typeof body['model'] === 'string' ? undefined : 'form field model is missing';
}

/** Starts a server at `<origin>/v1/audio/transcriptions`; it takes forms with a file and a model. */
export function transcriptionServer(options: ProtocolServerOptions = {}): Promise<LoopbackServer> {
  return startProtocol(
    {
      basePath: '/v1',
      path: /^\/v1\/audio\/transcriptions$/,
      allowedHeaders,
      complaint: ({ body }) => formComplaint(body),
      credential: bearerOf,
      error: openAIError,
    },
    options,
  );
}

/** Starts a server at `<origin>/v1/audio/speech`; input has at most 4096 characters. */
export function speechServer(options: ProtocolServerOptions = {}): Promise<LoopbackServer> {
  return startProtocol(
    {
      basePath: '/v1',
      path: /^\/v1\/audio\/speech$/,
      allowedHeaders,
      body: record({
        model: words,
        input: (value, path) =>
          typeof value === 'string' && value !== '' && value.length <= 4096
            ? undefined
            : `${path} is no text of 1 to 4096 characters`,
        voice: words,
        'instructions?': words,
        'response_format?': oneOf('mp3', 'opus', 'aac', 'flac', 'wav', 'pcm'),
        'speed?': primitive('number'),
      }),
      credential: bearerOf,
      error: openAIError,
    },
    options,
  );
}

/** A transcription as `json` answers it. */
export function transcriptionReply(text: string): Reply {
  return { headers: { 'content-type': 'application/json' }, steps: [JSON.stringify({ text })] };
}

/** Raw 16-bit little-endian PCM in these chunks; a chunk may end in the middle of a sample. */
export function pcmReply(...chunks: readonly Uint8Array[]): Reply {
  return { headers: { 'content-type': 'application/octet-stream' }, steps: chunks };
}
