/** A WebSocket that carries JSON: opened with patience, closed on every path, its secrets kept out of errors. */
import { abortedError, AntiphonError } from '../../core/errors.ts';
import { publicUrl, redact } from '../http/redact.ts';

/** A JSON object as it came. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A `WebSocket` class: the realm's own, or one of a library where there is none. */
export type WebSocketClass = new (url: string, protocols?: string[]) => WebSocket;

/** How to open a {@link JsonSocket}. */
export interface JsonSocketOptions {
  readonly url: string;
  readonly protocols?: readonly string[];
  /** The realm's own unless given. */
  readonly webSocket?: WebSocketClass;
  /** Until the server accepts the connection, in ms. */
  readonly connectTimeoutMs: number;
  /** Removed from every error. */
  readonly secrets: readonly string[];
  readonly signal: AbortSignal;
  /** One message; a frame that is no JSON object closes the socket instead. */
  readonly onMessage: (message: JsonObject) => void;
  /** The socket is gone, and not by `close`. Called once, never before the socket was open. */
  readonly onClosed: (error: AntiphonError) => void;
}

/** Unsent bytes beyond which a connection counts as dead: a minute of PCM16 in base64. */
const maxUnsentBytes = 4 * 1024 * 1024;

/** Close code for a server that breaks the protocol; 1002 may not be given by a page. */
const brokenProtocol = 4002;

/** An open connection. */
export class JsonSocket {
  readonly #socket: WebSocket;
  readonly #options: JsonSocketOptions;
  #over = false;

  constructor(socket: WebSocket, options: JsonSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.addEventListener('message', this.#receive);
    socket.addEventListener('close', this.#closed);
  }

  /** Sends one message; nothing happens once the socket is closed. */
  send(message: JsonObject): void {
    if (this.#over) return;
    if (this.#socket.bufferedAmount > maxUnsentBytes) {
      this.#fail('provider-network', 'takes nothing any more', 'Check the network.');
      return;
    }
    this.#socket.send(JSON.stringify(message));
  }

  /** Closes the connection; nothing is told after this. Idempotent. */
  close(): void {
    this.#end(1000);
  }

  /** Closes the connection as lost; `onClosed` is told. */
  lose(reason: string): void {
    this.#fail('provider-network', reason, 'Check the network.');
  }

  readonly #receive = ({ data }: MessageEvent<unknown>): void => {
    const message = parse(data);
    if (message) this.#options.onMessage(message);
    else
      this.#fail(
        'provider-protocol',
        'sent a frame that is no JSON object',
        'Check that the address is that of a realtime server.',
      );
  };

  readonly #closed = (event: CloseEvent): void => {
    if (this.#over) return;
    this.#end();
    this.#options.onClosed(closeError(event, this.#options));
  };

  #fail(code: 'provider-network' | 'provider-protocol', what: string, hint: string): void {
    if (this.#over) return;
    this.#end(code === 'provider-protocol' ? brokenProtocol : 1000);
    const where = publicUrl(this.#options.url);
    const retryable = code === 'provider-network';
    this.#options.onClosed(
      new AntiphonError(code, `${where} ${what}.`, { hint, retryable, details: { url: where } }),
    );
  }

  #end(code?: number): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket.removeEventListener('message', this.#receive);
    this.#socket.removeEventListener('close', this.#closed);
    if (code !== undefined) this.#socket.close(code);
  }
}

/**
 * Opens a connection.
 *
 * @throws AntiphonError `provider-network` (a browser tells no more than that it failed), `provider-timeout`,
 *   `unsupported` where there is no WebSocket, `invalid-argument` for an address or token it can't take, `aborted`
 */
export function openJsonSocket(options: JsonSocketOptions): Promise<JsonSocket> {
  const { url, protocols = [], signal, connectTimeoutMs } = options;
  const { WebSocket: own }: { readonly WebSocket?: WebSocketClass } = globalThis;
  const Socket = options.webSocket ?? own;
  if (!Socket)
    return Promise.reject(
      new AntiphonError('unsupported', 'There is no WebSocket here.', {
        hint: 'Give `webSocket`, for example that of the package ws.',
      }),
    );
  if (signal.aborted) return Promise.reject(abortedError());
  return new Promise((resolve, reject) => {
    const where = publicUrl(url);
    let socket: WebSocket;
    try {
      socket = new Socket(url, [...protocols]);
    } catch {
      // Without the cause: browsers repeat the address or the subprotocol in it, which is the token.
      const message = `${where} can't be connected to: the address or the token is malformed.`;
      const hint = 'Check that the address begins with wss:// and that the token holds no blanks.';
      return reject(new AntiphonError('invalid-argument', message, { hint }));
    }
    socket.binaryType = 'arraybuffer';
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      socket.removeEventListener('open', opened);
      socket.removeEventListener('error', failed);
      socket.removeEventListener('close', closed);
      act();
    };
    const refuse = (error: AntiphonError): void =>
      settle(() => {
        // Closing a socket that never opened is an error event in some libraries.
        socket.addEventListener('error', () => {});
        socket.close();
        reject(error);
      });
    const opened = (): void => settle(() => resolve(new JsonSocket(socket, options)));
    // The close event that follows says more than the error event; libraries say it in the message.
    const failed = (): void => {};
    const closed = (event: CloseEvent): void => refuse(closeError(event, options));
    const aborted = (): void => refuse(abortedError());
    const timer = setTimeout(() => {
      const message = `${where} did not accept the connection within ${connectTimeoutMs} ms.`;
      const hint = 'Check the network, or give more time with `connectTimeoutMs`.';
      refuse(new AntiphonError('provider-timeout', message, { hint, retryable: true }));
    }, connectTimeoutMs);
    socket.addEventListener('open', opened);
    socket.addEventListener('error', failed);
    socket.addEventListener('close', closed);
    signal.addEventListener('abort', aborted, { once: true });
  });
}

function parse(data: unknown): JsonObject | undefined {
  try {
    const text = typeof data === 'string' ? data : new TextDecoder().decode(data as ArrayBuffer);
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}

/** What a close code means; the reason is the server's own words, secrets removed. */
function closeError({ code, reason }: CloseEvent, options: JsonSocketOptions): AntiphonError {
  const where = publicUrl(options.url);
  const words = redact(reason.slice(0, 500), options.secrets);
  const said = words === '' ? '' : `: ${words}`;
  const message = `${where} closed the connection (${code})${said}`;
  const details = { url: where, closeCode: code };
  const auth = /\b(?:api.?key|token|auth\w*|permission|credential|unauthenticated)\b/i;
  if (/quota|billing/i.test(words))
    return new AntiphonError('provider-rate-limit', message, {
      hint: 'The account has no quota left; check its billing.',
      details,
    });
  if (auth.test(words) || code === 3000)
    return new AntiphonError('provider-auth', message, {
      hint: 'Mint a fresh token for every connection, and check that it is for this model.',
      details,
    });
  if (code === 1007 || code === 1008 || code === 1003)
    return new AntiphonError('provider-request', message, {
      hint: 'The server did not accept what was sent; its reason says why.',
      details,
    });
  return new AntiphonError('provider-network', message, {
    hint: 'Check the network and the token; the session can be opened again.',
    retryable: true,
    details,
  });
}
