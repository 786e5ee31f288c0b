/** Several providers at once: who says the first word answers, the others are closed. */
import { abortedError } from '../core/errors.ts';
import { abortable, untilAborted } from './abort.ts';
import { allFailed, checkChoice, failureOf, requestFor, toolsOf, type Failure } from './choice.ts';
import type { Provider, ProviderPart, ProviderRequest } from './provider.ts';

/** One provider at work, with a signal of its own. */
class Runner {
  readonly provider: Provider;
  readonly #controller = new AbortController();
  readonly #parts: AsyncIterator<ProviderPart>;

  constructor(provider: Provider, request: ProviderRequest) {
    this.provider = provider;
    const { signal } = this.#controller;
    this.#parts = untilAborted(provider.stream(request, { signal }), signal)[
      Symbol.asyncIterator
    ]();
  }

  next(): Promise<IteratorResult<ProviderPart>> {
    return this.#parts.next();
  }

  /** Ends it: its connection closes although nobody reads it. */
  close(): void {
    this.#controller.abort();
    this.#parts.return?.().catch(() => undefined);
  }
}

interface Winner {
  readonly runner: Runner;
  readonly first: IteratorResult<ProviderPart>;
}

function firstToSpeak(runners: readonly Runner[]): Promise<Winner> {
  const failures: Failure[] = [];
  return new Promise((resolve, reject) => {
    for (const runner of runners)
      runner.next().then(
        (first) => resolve({ runner, first }),
        (error: unknown) => {
          failures.push(failureOf(runner.provider, error));
          if (failures.length === runners.length) reject(allFailed(failures));
        },
      );
  });
}

/**
 * A {@link Provider} that asks all of `providers` at once. The first part of any of them decides; the others
 * are aborted and their connections closed. Every one is paid for its beginning. Tools that any of
 * them brings along are offered to all that can call tools.
 *
 * @throws `invalid-argument` without providers; when streaming, an error that names all causes when none answers
 * @example
 * const provider = race([openAICompatible({ baseURL, model }), anthropic({ model: other, token })]);
 */
export function race(providers: readonly Provider[]): Provider {
  checkChoice('race', providers);
  const tools = toolsOf(providers);
  return {
    id: `race:${providers.map(({ id }) => id).join(',')}`,
    ...(tools === undefined ? {} : { tools }),
    async *stream(request, { signal }) {
      if (signal.aborted) throw abortedError();
      const runners = providers.map(
        (provider) => new Runner(provider, requestFor(provider, request, tools)),
      );
      const closeAll = (): void => runners.forEach((runner) => runner.close());
      signal.addEventListener('abort', closeAll, { once: true });
      try {
        const { runner, first } = await abortable(firstToSpeak(runners), signal);
        for (const other of runners) if (other !== runner) other.close();
        for (let step = first; step.done !== true; step = await runner.next()) {
          yield step.value;
          if (signal.aborted) throw abortedError();
        }
      } finally {
        signal.removeEventListener('abort', closeAll);
        closeAll();
      }
    },
  };
}
