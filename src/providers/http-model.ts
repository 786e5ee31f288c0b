/** What every provider over fetch has in common: attempts, one exchange each, its events read as parts. */
import { sleep, wallClock } from '../core/time.ts';
import { abortedError } from './abort.ts';
import { brokenProtocol, type ReplyReader } from './reply-reader.ts';
import { checkToken } from './http/credentials.ts';
import { checkBaseURL } from './http/endpoint.ts';
import { Exchange, type HttpCall, type HttpOptions } from './http/exchange.ts';
import { nextDelayMs, type RetryPolicy } from './http/retry.ts';
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
}

/** How one vendor is asked and understood. */
export interface HttpModel {
  /** For display and traces. */
  readonly id: string;
  readonly baseURL: string;
  /** The request on the wire. Throws `unsupported` for what the vendor does not take. */
  readonly call: (request: ProviderRequest) => HttpCall;
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
  checkToken(options);
  return {
    id: model.id,
    async *stream(request, { signal }) {
      if (signal.aborted) throw abortedError();
      const call = model.call(request);
      for (let attempts = 1; ; attempts += 1) {
        let begun = false;
        try {
          for await (const part of attempt(options, model, call, signal)) {
            // One event may hold several parts; none comes out after the abort.
            if (signal.aborted) throw abortedError();
            begun = true;
            yield part;
          }
          return;
        } catch (error) {
          const delayMs = begun ? undefined : nextDelayMs(error, attempts, options.retry ?? {});
          if (delayMs === undefined) throw error;
          await sleep(wallClock, delayMs, signal);
        }
      }
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
