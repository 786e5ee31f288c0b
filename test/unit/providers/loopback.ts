/** A scripted HTTP server on the loopback interface, strict about what a client may send. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** What the server saw of one request. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
  /** Resolves when the client closed the connection before the response was complete. */
  readonly aborted: Promise<void>;
}

/** Answers one request. */
export type Answer = (response: ServerResponse, seen: Seen) => void | Promise<void>;

/** The running server; `seen` grows with each request. */
export interface Loopback {
  readonly baseURL: string;
  readonly seen: readonly Seen[];
  close(): Promise<void>;
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Fields chat completions know; anything else is a client's mistake. */
const known = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'temperature',
  'max_tokens',
  'max_completion_tokens',
]);

function complaint(request: IncomingMessage, body: Record<string, unknown>): string | undefined {
  if (request.method !== 'POST') return `method ${request.method}`;
  if (!request.url?.startsWith('/v1/chat/completions')) return `path ${request.url}`;
  if (request.headers['content-type'] !== 'application/json') return 'content type';
  const stray = Object.keys(body).find((key) => !known.has(key));
  if (stray !== undefined) return `unknown field ${stray}`;
  if (
    body['stream'] !== true ||
    !Array.isArray(body['messages']) ||
    typeof body['model'] !== 'string'
  )
    return 'shape';
  return undefined;
}

/** Starts a server that gives `answers` in turn and the last one from then on. */
export async function loopback(...answers: readonly Answer[]): Promise<Loopback> {
  const seen: Seen[] = [];
  const server: Server = createServer((request, response) => {
    void (async () => {
      const body = JSON.parse(await read(request)) as Record<string, unknown>;
      const wrong = complaint(request, body);
      if (wrong !== undefined) {
        response.writeHead(418).end(wrong);
        return;
      }
      const aborted = once(response, 'close').then(() => undefined);
      const record = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body,
        aborted,
      };
      const answer = answers[Math.min(seen.length, answers.length - 1)];
      seen.push(record);
      await answer?.(response, record);
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    baseURL: `http://127.0.0.1:${port}/v1`,
    seen,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** One SSE frame of a chunk. */
export function frame(chunk: unknown, newline = '\n'): string {
  return `data: ${JSON.stringify(chunk)}${newline}${newline}`;
}

/** A chunk with one choice. */
export function delta(
  fields: Record<string, unknown>,
  finish: string | null = null,
): Record<string, unknown> {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: fields, finish_reason: finish }],
  };
}

export const done = 'data: [DONE]\n\n';

/** Answers 200 with these bytes of an event stream and ends. */
export function stream(...frames: readonly string[]): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const piece of frames) response.write(piece);
    response.end();
  };
}

/** Answers with a status and a JSON body. */
export function refuse(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Answer {
  return (response) => {
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body));
  };
}
