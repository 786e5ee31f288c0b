/** One request of a model server and its answer, from the token to the closed socket. */
import { AntiphonError } from '../../core/errors.ts';
import { Connection, type Patience } from './connection.ts';
import {
  bearer,
  secretHeaders,
  secretsOf,
  type Authorize,
  type Credentials,
} from './credentials.ts';
import { responseError } from './http-error.ts';
import { publicUrl, redact } from './redact.ts';

/** What every engine that talks to a server can be told about it. */
export interface HttpOptions extends Credentials {
  /** Instead of the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Patience until the response headers, in ms. 60 000 unless given: local servers load the model first. */
  readonly connectTimeoutMs?: number;
  /** Patience between two pieces of the answer, in ms. 30 000 unless given. */
  readonly interTokenTimeoutMs?: number;
}

/** The options of an engine that knows one patience, `timeoutMs` (30 000 unless given), for both phases. */
export function patient(
  options: Omit<HttpOptions, keyof Patience> & { readonly timeoutMs?: number },
): HttpOptions {
  const { timeoutMs = 30_000 } = options;
  return { ...options, connectTimeoutMs: timeoutMs, interTokenTimeoutMs: timeoutMs };
}

/** Characters read of the body of a refusal. */
const maxRefusalLength = 256 * 1024;

/** One request. */
export interface HttpCall {
  readonly url: string;
  /** An object goes out as JSON. */
  readonly body: FormData | Readonly<Record<string, unknown>>;
  /** Headers without secrets. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `Authorization: Bearer …` unless given. */
  readonly authorize?: Authorize;
  /** What to do about a 404. */
  readonly missing: string;
}

/** An answer that began well. Call {@link Exchange.close} on every path; what it throws shows no secret. */
export class Exchange {
  readonly response: Response;
  /** The address, fit for messages. */
  readonly where: string;
  readonly #connection: Connection;
  readonly #secrets: readonly string[];

  private constructor(
    response: Response,
    connection: Connection,
    where: string,
    secrets: readonly string[],
  ) {
    this.response = response;
    this.where = where;
    this.#connection = connection;
    this.#secrets = secrets;
  }

  /**
   * Asks. Resolves once the headers of a good answer are there.
   *
   * @throws the typed error of a refusal (`provider-auth`, `provider-rate-limit`, `context-length` …),
   * `provider-network`, `provider-timeout`, `aborted`
   */
  static async open(options: HttpOptions, call: HttpCall, signal: AbortSignal): Promise<Exchange> {
    const { connectTimeoutMs = 60_000, interTokenTimeoutMs = 30_000 } = options;
    const patience: Patience = { connectTimeoutMs, interTokenTimeoutMs };
    const authorize = call.authorize ?? bearer;
    const secret = await secretHeaders(options, authorize, call.url, {
      signal,
      timeoutMs: connectTimeoutMs,
    });
    const secrets = secretsOf(secret, call.url);
    const connection = new Connection(call.url, patience, secrets, signal);
    try {
      const response = await connection.open(requestOf(call, secret), options.fetch ?? fetch);
      const exchange = new Exchange(response, connection, publicUrl(call.url), secrets);
      if (response.ok) return exchange;
      const body = await exchange.#refusal(signal);
      throw exchange.masked(responseError(response, body, exchange.where, call.missing));
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Lower-case, empty when the server did not say. */
  get contentType(): string {
    return (this.response.headers.get('content-type') ?? '').toLowerCase();
  }

  /** The next bytes; undefined at the end. */
  read(): Promise<Uint8Array | undefined> {
    return this.#connection.read(this.response);
  }

  /** All that is left of the answer. */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) {
      chunks.push(chunk);
      length += chunk.length;
    }
    const bytes = new Uint8Array(length);
    let offset = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    return bytes;
  }

  /** All that is left of the answer, as UTF-8. */
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  /** The error with every secret masked; a server may repeat the token it was given. */
  masked(error: unknown): unknown {
    if (!AntiphonError.is(error)) return error;
    const details =
      error.details &&
      (JSON.parse(redact(JSON.stringify(error.details), this.#secrets)) as Record<string, unknown>);
    return new AntiphonError(error.code, redact(error.message, this.#secrets), {
      hint: error.hint,
      retryable: error.retryable,
      ...(details === undefined ? {} : { details }),
      ...(error.cause === undefined ? {} : { cause: error.cause }),
    });
  }

  /** The beginning of a refusal's body, as much of it as comes. */
  async #refusal(signal: AbortSignal): Promise<string> {
    const decoder = new TextDecoder();
    let text = '';
    try {
      while (text.length < maxRefusalLength) {
        const chunk = await this.read();
        if (chunk === undefined) break;
        text += decoder.decode(chunk, { stream: true });
      }
    } catch (error) {
      // The status says the most of it.
      if (signal.aborted) throw error;
    }
    return text;
  }

  /** Closes the socket, in whatever state it is. */
  close(): void {
    this.#connection.close();
  }
}

function requestOf(call: HttpCall, secret: Readonly<Record<string, string>>): RequestInit {
  const headers = { ...call.headers, ...secret };
  if (call.body instanceof FormData) return { method: 'POST', headers, body: call.body };
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(call.body),
  };
}
