/** A loopback server that speaks one vendor's protocol: where it answers, and what it holds against a request. */
import { LoopbackServer, type LoopbackOptions } from './loopback-server.ts';
import type { RecordedRequest, Violation } from './recorded-request.ts';
import type { Shape } from './shape.ts';

/** What every protocol server takes. */
export interface ProtocolServerOptions {
  /** Given in turn, the last one from then on. */
  readonly replies?: LoopbackOptions['replies'];
  /** The credential every request has to show; none unless given. */
  readonly token?: string;
}

/** One vendor's protocol over HTTP. */
export interface HttpProtocol {
  readonly basePath: string;
  /** Paths it answers. */
  readonly path: RegExp;
  /** Lower-case names of the headers a page may send. */
  readonly allowedHeaders: readonly string[];
  /** Shape of the JSON body; anything unless given, e.g. for forms. */
  readonly body?: Shape;
  /** What else is wrong with a request. */
  readonly complaint?: (request: RecordedRequest) => string | undefined;
  /** The credential a request shows. */
  readonly credential: (request: RecordedRequest) => string | undefined;
  /** The vendor's body for an error. */
  readonly error: (status: number, message: string) => unknown;
}

/** The credential in `Authorization: Bearer …`. */
export function bearerOf({ headers }: RecordedRequest): string | undefined {
  return /^Bearer (.+)$/.exec(headers['authorization'] ?? '')?.[1];
}

/** Starts a server that speaks `protocol`. */
export function startProtocol(
  protocol: HttpProtocol,
  { replies = [], token }: ProtocolServerOptions,
): Promise<LoopbackServer> {
  const refuse = (status: number, message: string): Violation => ({
    message,
    status,
    body: protocol.error(status, message),
  });
  return LoopbackServer.start({
    basePath: protocol.basePath,
    allowedHeaders: protocol.allowedHeaders,
    replies,
    inspect(request) {
      const { method, path, headers } = request;
      if (method !== 'POST') return refuse(405, `${method} is not allowed`);
      if (!protocol.path.test(path)) return refuse(404, `there is nothing at ${path}`);
      if (token !== undefined && protocol.credential(request) !== token)
        return refuse(401, 'the credential is wrong');
      if (protocol.body && headers['content-type'] !== 'application/json')
        return refuse(415, `content-type is ${headers['content-type']}`);
      const problem = protocol.body?.(request.body, 'body') ?? protocol.complaint?.(request);
      return problem === undefined ? undefined : refuse(400, problem);
    },
  });
}
