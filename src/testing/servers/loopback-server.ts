/** An HTTP server on the loopback interface that plays scripts: the ground the protocol servers stand on. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { answerPreflight, readableByPages } from './cors.ts';
import { Gates } from './gates.ts';
import {
  bodyOf,
  bytesOf,
  headersOf,
  type RecordedRequest,
  type Violation,
} from './recorded-request.ts';
import { playReply, refusal, type Reply } from './reply.ts';

/** What {@link LoopbackServer.start} takes. */
export interface LoopbackOptions {
  /** Path that {@link LoopbackServer.baseURL} ends in, e.g. `/v1`; none unless given. */
  readonly basePath?: string;
  /** Given in turn, the last one from then on; a function may look at the request first. */
  readonly replies?: readonly (Reply | ((request: RecordedRequest) => Reply))[];
  /** Judges each request before it is answered; a violation is recorded and answered as the vendor would. */
  readonly inspect?: (request: RecordedRequest) => Violation | undefined;
  /** Lower-case names of the request headers a page may send. `content-type` and `authorization` unless given. */
  readonly allowedHeaders?: readonly string[];
  /** Takes over a socket that is to become a WebSocket; such requests are refused unless given. */
  readonly onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** A running server. Close it after the test. */
export class LoopbackServer {
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string;
  /** The origin and the base path: what a provider takes as `baseURL`. */
  readonly baseURL: string;
  /** What came, preflights aside, in the order it came. */
  readonly requests: RecordedRequest[] = [];
  /** Every breach of the protocol; a test that expects none asserts that this is empty. */
  readonly violations: string[] = [];
  /** Where scripts wait. */
  readonly gates: Gates = new Gates();
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #busy = new Set<unknown>();
  readonly #options: LoopbackOptions;
  #idle: (() => void)[] = [];
  #answered = 0;

  private constructor(server: Server, sockets: Set<Socket>, options: LoopbackOptions) {
    this.#server = server;
    this.#sockets = sockets;
    this.#options = options;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.baseURL = this.origin + (options.basePath ?? '');
  }

  /** Starts a server on a free port of the loopback interface. */
  static async start(options: LoopbackOptions = {}): Promise<LoopbackServer> {
    const sockets = new Set<Socket>();
    const server = createServer((request, response) => {
      void loopback.#exchange(request, response);
    });
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.setNoDelay(true).once('close', () => sockets.delete(socket));
    });
    server.on('clientError', (error, socket) => {
      // Anything else is a client that left.
      if ('code' in error && String(error.code).startsWith('HPE_'))
        loopback.violations.push(`not HTTP: ${error.message}`);
      socket.destroy();
    });
    server.on('upgrade', (request, socket, head) => {
      if (options.onUpgrade) {
        loopback.#begin(socket);
        socket.once('close', () => loopback.#finish(socket));
        return options.onUpgrade(request, socket, head);
      }
      loopback.violations.push(`no WebSocket is served at ${request.url}`);
      socket.destroy();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const loopback = new LoopbackServer(server, sockets, options);
    return loopback;
  }

  /**
   * Sockets that are in use: exchanges that are not over, and WebSockets. One that a client keeps for its next
   * request does not count.
   */
  get openSockets(): number {
    return this.#busy.size;
  }

  /** Resolves when no socket is in use any more. */
  idle(): Promise<void> {
    if (this.#busy.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Cuts every connection and frees the port. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #begin(use: unknown): void {
    this.#busy.add(use);
  }

  #finish(use: unknown): void {
    this.#busy.delete(use);
    if (this.#busy.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #exchange(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#begin(response);
    const ended = once(response, 'close').then(() => {
      this.#finish(response);
      return response.writableFinished ? ('complete' as const) : ('cut' as const);
    });
    try {
      const headers = headersOf(request);
      if (request.method === 'OPTIONS') {
        const allowed = this.#options.allowedHeaders ?? ['content-type', 'authorization'];
        const stray = answerPreflight(headers, allowed, response);
        if (stray.length > 0)
          this.violations.push(`a page may not send the headers ${stray.join(', ')}`);
        return;
      }
      for (const [name, value] of Object.entries(readableByPages)) response.setHeader(name, value);
      const url = new URL(request.url ?? '/', this.origin);
      const bytes = await bytesOf(request);
      const record: RecordedRequest = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers,
        bytes,
        body: await bodyOf(bytes, headers['content-type'] ?? ''),
        ended,
      };
      this.requests.push(record);
      await playReply(this.#replyTo(record), response, this.gates, ended);
    } catch (error) {
      // The client left while it was still sending, or a script is broken.
      if (!response.destroyed) this.violations.push(String(error));
      response.destroy();
    }
  }

  #replyTo(request: RecordedRequest): Reply {
    const violation = this.#options.inspect?.(request);
    if (violation) {
      this.violations.push(violation.message);
      return refusal(violation.status, violation.body);
    }
    const { replies = [] } = this.#options;
    const reply = replies[Math.min(this.#answered, replies.length - 1)];
    this.#answered += 1;
    if (reply) return typeof reply === 'function' ? reply(request) : reply;
    this.violations.push(`nothing is scripted for ${request.method} ${request.path}`);
    return refusal(500, { error: { message: 'The script has no reply.' } });
  }
}
