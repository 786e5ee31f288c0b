/** What every provider over fetch has in common: attempts, one exchange each, its events read as parts. */
import { withAttempts } from './attempts.ts';
import { brokenProtocol, type ReplyReader } from './reply-reader.ts';
import { checkToken } from './http/credentials.ts';
import { checkBaseURL } from './http/endpoint.ts';
import { Exchange, type HttpCall, type HttpOptions } from './http/exchange.ts';
import type { RetryPolicy } from './http/retry.ts';
import { sseEvents } from './http/sse.ts';
import type { Provider, ProviderPart, ProviderRequest } from './provider.ts';

/** What every provider over fetch can be told. */
export interface HttpModelOptions extends HttpOptions {
  /** The vendor's name of the model. */
  readonly model: string;
  /** A request's own value wins. Not sent unless given. */
  readonly temperature?: number;
  /** A request's own value wins. */
  readonly maxOutputTokens?: number;
  /** Trying again, before the first token only. */
  readonly retry?: RetryPolicy;
  /** Fields of the vendor's own for the body of every request, e.g. `{ reasoning_effort: 'none' }`; they win over ours. */
  readonly extraBody?: Readonly<Record<string, unknown>>;
}

/** How one vendor is asked and understood. */
export interface HttpModel {
  /** For display and traces. */
  readonly id: string;
  readonly baseURL: string;
  /** The request on the wire. Throws `unsupported` for what the vendor does not take. */
  readonly call: (
    request: ProviderRequest,
  ) => Omit<HttpCall, 'body'> & { readonly body: Readonly<Record<string, unknown>> };
  /** A reader for one reply; `where` is the address, fit for messages. */
  readonly reader: (where: string) => ReplyReader;
}

/**
 * The {@link Provider} of a vendor. Tries again before the first token, never after; breaking off or aborting
 * closes the socket; no secret shows in what it throws.
 *
 * @throws `invalid-argument` for a `baseURL` with credentials, `provider-auth` for a long-lived key in a page
 */
export function httpModel(options: HttpModelOptions, model: HttpModel): Provider {
  checkBaseURL(model.baseURL);
  checkToken(options, model.baseURL);
  return {
    id: model.id,
    async *stream(request, { signal }) {
      const call = model.call(request);
      const body = { ...call.body, ...options.extraBody };
      yield* withAttempts(
        () => attempt(options, model, { ...call, body }, signal),
        options.retry ?? {},
        signal,
      );
    },
  };
}

async function* attempt(
  options: HttpOptions,
  model: HttpModel,
  call: HttpCall,
  signal: AbortSignal,
): AsyncGenerator<ProviderPart, void, undefined> {
  const exchange = await Exchange.open(options, call, signal);
  try {
    const { where, contentType } = exchange;
    if (contentType.includes('text/html')) throw brokenProtocol(where, 'answered with a web page');
    const reader = model.reader(where);
    // Some servers answer trouble, or everything, in one JSON body with status 200.
    if (contentType.includes('application/json')) yield* reader.read(await exchange.text());
    else
      for await (const { data, event } of sseEvents(() => exchange.read())) {
        yield* reader.read(data, event);
        if (reader.ended) break;
      }
    yield* reader.finish();
  } catch (error) {
    throw exchange.masked(error);
  } finally {
    exchange.close();
  }
}
