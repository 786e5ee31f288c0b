/** Streaming chat completions of any OpenAI-compatible server: Ollama, llama.cpp, vLLM, LM Studio, clouds. */
import { AntiphonError } from '../core/errors.ts';
import { abortable, abortedError, wait } from './abort.ts';
import { chatMessages } from './chat/messages.ts';
import { ChunkReader } from './chat/chunk-reader.ts';
import { Connection, type Patience } from './http/connection.ts';
import { refuseLongLivedKey } from './http/api-key.ts';
import { responseError } from './http/http-error.ts';
import { publicUrl, redact, redactedCause } from './http/redact.ts';
import { nextDelayMs, type RetryPolicy } from './http/retry.ts';
import { sseEvents } from './http/sse.ts';
import type { Provider, ProviderPart, ProviderRequest } from './provider.ts';

/** What {@link openAICompatible} needs to know; nothing but the address and the model is required. */
export interface OpenAICompatibleOptions {
  /** Where `/chat/completions` begins, e.g. `http://localhost:11434/v1`; may carry a query string. */
  readonly baseURL: string;
  readonly model: string;
  /** Sent as `Authorization: Bearer …`. A function is asked before every attempt, so it can mint short-lived tokens. */
  readonly token?: string | (() => string | Promise<string>);
  /** Sent along with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** 0…2; a request's own value wins. Not sent unless given. */
  readonly temperature?: number;
  /** A request's own value wins. Not sent unless given. */
  readonly maxOutputTokens?: number;
  /** Patience until the response headers, in ms. Default 60 000: local servers load the model first. */
  readonly connectTimeoutMs?: number;
  /** Patience between two pieces of the answer, in ms. Default 30 000. */
  readonly interTokenTimeoutMs?: number;
  /** Trying again, before the first token only. */
  readonly retry?: RetryPolicy;
  /** Allows a long-lived key in a page; anybody who can open the page can then copy it. Default false. */
  readonly dangerouslyAllowBrowserKey?: boolean;
}

const json = 'application/json';

function requestBody(options: OpenAICompatibleOptions, request: ProviderRequest): string {
  const temperature = request.temperature ?? options.temperature;
  const limit = request.maxOutputTokens ?? options.maxOutputTokens;
  // OpenAI retired `max_tokens`; local servers know nothing else.
  const limitName = /\/\/api\.openai\.com(?:[:/]|$)/.test(options.baseURL)
    ? 'max_completion_tokens'
    : 'max_tokens';
  return JSON.stringify({
    model: options.model,
    messages: chatMessages(request),
    stream: true,
    stream_options: { include_usage: true },
    ...(temperature === undefined ? {} : { temperature }),
    ...(limit === undefined ? {} : { [limitName]: limit }),
    ...(request.tools.length === 0
      ? {}
      : {
          tools: request.tools.map(({ name, description, parameters }) => ({
            type: 'function',
            function: { name, description, parameters },
          })),
        }),
  });
}

function endpoint(baseURL: string): string {
  const [, address = '', query = ''] = /^([^?#]*)(\?[^#]*)?/.exec(baseURL) ?? [];
  return `${address.replace(/\/+$/, '')}/chat/completions${query}`;
}

async function tokenOf({ token }: OpenAICompatibleOptions, signal: AbortSignal): Promise<string> {
  if (typeof token !== 'function') return token ?? '';
  try {
    return await abortable(Promise.resolve(token()), signal);
  } catch (error) {
    if (AntiphonError.is(error)) throw error;
    throw new AntiphonError('provider-auth', 'The `token` function failed.', {
      hint: 'Check the server that mints your tokens.',
      retryable: true,
      cause: redactedCause(error, []),
    });
  }
}

async function headersOf(
  options: OpenAICompatibleOptions,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const token = await tokenOf(options, signal);
  const headers = {
    ...options.headers,
    ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
  };
  for (const value of Object.values(headers))
    refuseLongLivedKey(value, options.dangerouslyAllowBrowserKey ?? false);
  return headers;
}

async function* attempt(
  options: OpenAICompatibleOptions,
  request: ProviderRequest,
  headers: Record<string, string>,
  signal: AbortSignal,
): AsyncGenerator<ProviderPart, void, undefined> {
  const url = endpoint(options.baseURL);
  const where = publicUrl(url);
  const secrets = Object.values(headers).map((value) => value.replace(/^Bearer\s+/i, ''));
  const patience: Patience = {
    connectTimeoutMs: options.connectTimeoutMs ?? 60_000,
    interTokenTimeoutMs: options.interTokenTimeoutMs ?? 30_000,
  };
  const connection = new Connection(url, patience, secrets, signal);
  try {
    const init = {
      method: 'POST',
      headers: { 'content-type': json, ...headers },
      body: requestBody(options, request),
    };
    const response = await connection.open(init, options.fetch ?? fetch);
    const read = (): Promise<Uint8Array | undefined> => connection.read(response);
    if (!response.ok) throw responseError(response, await wholeBody(read), where);
    const reader = new ChunkReader(where);
    const type = response.headers.get('content-type') ?? '';
    if (type.includes('text/html')) throw webPage(where);
    if (type.includes(json)) {
      // Some servers answer trouble, or everything, in one JSON body with status 200.
      yield* reader.read(await wholeBody(read));
      yield* reader.finish(true);
      return;
    }
    let complete = false;
    for await (const { data, event } of sseEvents(read)) {
      complete = data.trim() === '[DONE]';
      if (complete) break;
      yield* reader.read(data, event);
    }
    yield* reader.finish(complete);
  } catch (error) {
    throw withoutSecrets(error, secrets);
  } finally {
    connection.close();
  }
}

async function wholeBody(read: () => Promise<Uint8Array | undefined>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for (let bytes = await read(); bytes !== undefined; bytes = await read())
    text += decoder.decode(bytes, { stream: true });
  return text + decoder.decode();
}

function webPage(where: string): AntiphonError {
  return new AntiphonError('provider-protocol', `${where} answered with a web page.`, {
    hint: 'Check `baseURL`: it should end where `/chat/completions` begins, usually with /v1.',
    details: { url: where },
  });
}

/** The error with every secret masked; a server may repeat the token it was given. */
function withoutSecrets(error: unknown, secrets: readonly string[]): unknown {
  if (!AntiphonError.is(error)) return error;
  const details =
    error.details &&
    (JSON.parse(redact(JSON.stringify(error.details), secrets)) as Record<string, unknown>);
  return new AntiphonError(error.code, redact(error.message, secrets), {
    hint: error.hint,
    retryable: error.retryable,
    ...(details === undefined ? {} : { details }),
    ...(error.cause === undefined ? {} : { cause: error.cause }),
  });
}

/**
 * A {@link Provider} for any server that speaks streaming chat completions. Retries with backoff before
 * the first token, never after; breaking off or aborting closes the socket; no token ever shows in an error.
 *
 * @throws `invalid-argument` for a `baseURL` with credentials, `provider-auth` for a long-lived key in a page.
 * @example
 * const provider = openAICompatible({ baseURL: 'http://localhost:11434/v1', model: 'llama3.2' });
 */
export function openAICompatible(options: OpenAICompatibleOptions): Provider {
  if (/\/\/[^/?#]*@/.test(options.baseURL))
    throw new AntiphonError('invalid-argument', 'baseURL carries credentials.', {
      hint: 'Pass them as `token` or `headers`; browsers refuse addresses with credentials.',
    });
  if (typeof options.token === 'string')
    refuseLongLivedKey(options.token, options.dangerouslyAllowBrowserKey ?? false);
  return {
    id: `openai-compatible:${options.model}`,
    async *stream(request, { signal }) {
      for (let attempts = 1; ; attempts += 1) {
        let begun = false;
        try {
          if (signal.aborted) throw abortedError();
          for await (const part of attempt(
            options,
            request,
            await headersOf(options, signal),
            signal,
          )) {
            begun = true;
            yield part;
          }
          return;
        } catch (error) {
          const delayMs = begun ? undefined : nextDelayMs(error, attempts, options.retry ?? {});
          if (delayMs === undefined) throw error;
          await wait(delayMs, signal);
        }
      }
    },
  };
}
