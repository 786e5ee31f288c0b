/** One HTTP exchange that can be cancelled, times out by phases, and always closes its socket. */
import { abortedError, AntiphonError } from '../../core/errors.ts';
import { abortable } from '../abort.ts';
import { publicUrl, redactedCause } from './redact.ts';

/** Patience of the two phases, in ms. */
export interface Patience {
  /** Until the response headers. */
  readonly connectTimeoutMs: number;
  /** Between two pieces of the body, the first included. */
  readonly interTokenTimeoutMs: number;
}

/** A connection to a model server. Call {@link Connection.close} on every path. */
export class Connection {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #patience: Patience;
  readonly #secrets: readonly string[];
  readonly #url: string;
  readonly #onAbort = (): void => this.#controller.abort();
  #opening: Promise<Response> | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #timedOut: keyof Patience | undefined;

  /** `secrets` are removed from every error; `signal` is the caller's. */
  constructor(url: string, patience: Patience, secrets: readonly string[], signal: AbortSignal) {
    this.#url = url;
    this.#patience = patience;
    this.#secrets = secrets;
    this.#caller = signal;
    if (signal.aborted) this.#controller.abort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Sends the request and resolves with the response once its headers are there. */
  async open(init: RequestInit, fetchFunction: typeof fetch): Promise<Response> {
    return this.#within('connectTimeoutMs', () => {
      this.#opening = fetchFunction(this.#url, { ...init, signal: this.#controller.signal });
      return this.#opening;
    });
  }

  /** The next bytes of the body; undefined at its end. Uses a reader: not every engine iterates streams. */
  async read(response: Response): Promise<Uint8Array | undefined> {
    this.#reader ??= response.body?.getReader();
    const reader = this.#reader;
    if (!reader) return undefined;
    const { done, value } = await this.#within('interTokenTimeoutMs', () => reader.read());
    return done ? undefined : value;
  }

  /** Aborts the fetch, which closes the socket, and forgets the caller's signal. */
  close(): void {
    this.#caller.removeEventListener('abort', this.#onAbort);
    this.#controller.abort();
    // A `fetch` of the caller's own may be deaf to the signal, and late.
    const cancelled = this.#reader
      ? this.#reader.cancel()
      : this.#opening?.then((response) => response.body?.cancel());
    cancelled?.catch(() => undefined);
  }

  async #within<T>(phase: keyof Patience, work: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      this.#timedOut = phase;
      this.#controller.abort();
    }, this.#patience[phase]);
    try {
      // Raced, because a `fetch` of the caller's own may not tie its body to the signal.
      return await abortable(work(), this.#controller.signal);
    } catch (error) {
      throw this.#explain(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #explain(error: unknown): AntiphonError {
    if (this.#caller.aborted) return abortedError();
    const where = publicUrl(this.#url);
    if (this.#timedOut !== undefined)
      return new AntiphonError(
        'provider-timeout',
        `${where} gave nothing for ${this.#patience[this.#timedOut]} ms.`,
        {
          hint: `Check that the server is well, or raise \`${this.#timedOut}\`.`,
          retryable: true,
          details: { url: where, timeoutMs: this.#patience[this.#timedOut] },
        },
      );
    return new AntiphonError(
      'provider-network',
      this.#reader
        ? `${where} cut the connection in the middle of its answer.`
        : `${where} could not be reached.`,
      {
        hint: this.#reader
          ? 'Try again; the text so far is kept.'
          : 'Check the address and the network, and that the server allows this page by CORS (Ollama: OLLAMA_ORIGINS; LM Studio: --cors).',
        retryable: true,
        details: { url: where },
        cause: redactedCause(error, this.#secrets),
      },
    );
  }
}
