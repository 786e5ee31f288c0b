/** Several providers, one after the other: the next one answers when the one before can't. */
import { abortedError, AntiphonError, type ErrorCode } from '../core/errors.ts';
import { untilAborted } from './abort.ts';
import { allFailed, checkChoice, failureOf, requestFor, toolsOf, type Failure } from './choice.ts';
import type { Provider } from './provider.ts';

/** What {@link fallback} may be told. */
export interface FallbackOptions {
  /** How long a provider that failed comes last, in ms; the server's own `Retry-After` when that is longer. 60 000 unless given. */
  readonly rememberMs?: number;
  /** Told about each failure that another provider makes up for. */
  readonly onFailure?: (provider: Provider, error: AntiphonError) => void;
  /** A clock in ms; `Date.now` unless given. */
  readonly now?: () => number;
}

/** Errors that say something about the provider, not about the request. */
const providerIsBroken: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'provider-auth',
  'provider-rate-limit',
  'provider-overloaded',
  'provider-network',
  'provider-protocol',
  'provider-timeout',
  'model-load',
  'unknown',
]);

/** Not made up for: the caller's own wish, and a verdict about the content. */
const final: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['aborted', 'content-filter']);

/**
 * A {@link Provider} that asks the first of `providers` that works. The next one is asked only before the first
 * part of a reply: nothing is said twice. Who failed comes last for a while. Tools that any of them
 * brings along are offered to all that can call tools.
 *
 * @throws `invalid-argument` without providers; when streaming, what the only one threw, or an error that
 * names all causes and has the code of the last
 * @example
 * const provider = fallback([openAICompatible({ baseURL, model }), offlineAssistant()]);
 */
export function fallback(providers: readonly Provider[], options: FallbackOptions = {}): Provider {
  checkChoice('fallback', providers);
  const { rememberMs = 60_000, onFailure, now = Date.now } = options;
  const brokenUntil = new Map<Provider, number>();
  const tools = toolsOf(providers);

  /** The healthy ones in their order, then the others by when they are due. */
  const order = (): Provider[] => {
    const due = (provider: Provider): number => brokenUntil.get(provider) ?? 0;
    const time = now();
    return [
      ...providers.filter((provider) => due(provider) <= time),
      ...providers.filter((provider) => due(provider) > time).sort((a, b) => due(a) - due(b)),
    ];
  };

  const remember = ({ provider, error }: Failure): void => {
    if (!providerIsBroken.has(error.code)) return;
    const wished = Number(error.details?.['retryAfterMs'] ?? 0);
    brokenUntil.set(provider, now() + Math.max(rememberMs, wished));
  };

  return {
    id: `fallback:${providers.map(({ id }) => id).join(',')}`,
    ...(tools === undefined ? {} : { tools }),
    async *stream(request, { signal }) {
      const failures: Failure[] = [];
      for (const provider of order()) {
        let begun = false;
        try {
          if (signal.aborted) throw abortedError();
          const own = requestFor(provider, request, tools);
          for await (const part of untilAborted(provider.stream(own, { signal }), signal)) {
            begun = true;
            yield part;
          }
          brokenUntil.delete(provider);
          return;
        } catch (thrown) {
          const failure = failureOf(provider, thrown);
          remember(failure);
          if (begun || signal.aborted || final.has(failure.error.code)) throw thrown;
          failures.push(failure);
          if (failures.length < providers.length) onFailure?.(provider, failure.error);
        }
      }
      throw allFailed(failures);
    },
  };
}
