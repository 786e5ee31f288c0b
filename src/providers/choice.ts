/** What `fallback` and `race` share: several providers that pass for one. */
import { AntiphonError, toAntiphonError } from '../core/errors.ts';
import type { Provider, ProviderRequest } from './provider.ts';
import type { Tool } from './tools.ts';

/** A provider that failed, and why. */
export interface Failure {
  readonly provider: Provider;
  readonly error: AntiphonError;
}

/** Throws `invalid-argument` when there is nothing to choose from. */
export function checkChoice(name: string, providers: readonly Provider[]): void {
  if (providers.length === 0)
    throw new AntiphonError('invalid-argument', `${name} was given no provider.`, {
      hint: `Pass at least one: ${name}([first, second]).`,
    });
}

/** The tools that the providers bring along, the first of each name; undefined for none. */
export function toolsOf(providers: readonly Provider[]): readonly Tool[] | undefined {
  const tools = new Map<string, Tool>();
  for (const tool of providers.flatMap((provider) => provider.tools ?? []))
    if (!tools.has(tool.name)) tools.set(tool.name, tool);
  return tools.size === 0 ? undefined : [...tools.values()];
}

/** The request as `provider` can take it: without the tools that others bring along, where it calls none. */
export function requestFor(
  provider: Provider,
  request: ProviderRequest,
  brought: readonly Tool[] = [],
): ProviderRequest {
  if (provider.takesTools !== false) return request;
  const { toolChoice: _choice, ...rest } = request;
  const names = new Set(brought.map(({ name }) => name));
  const tools = request.tools.filter(({ name }) => !names.has(name));
  return tools.length === request.tools.length ? request : { ...rest, tools };
}

/** What was thrown, as a failure of `provider`. */
export function failureOf(provider: Provider, thrown: unknown): Failure {
  return { provider, error: toAntiphonError(thrown, 'unknown') };
}

/**
 * The error of several failures: code, hint and cause are those of the last, the message names all, `details.causes`
 * lists provider, code, message and details of each. One failure alone is thrown as it is.
 */
export function allFailed(failures: readonly Failure[]): AntiphonError {
  const last = failures.at(-1)?.error;
  if (!last || failures.length === 1)
    return last ?? new AntiphonError('unknown', 'No provider answered.');
  const told = failures.map(({ provider, error }) => `${provider.id}: ${error.message}`);
  return new AntiphonError(
    last.code,
    `All ${failures.length} providers failed. ${told.join(' ')}`,
    {
      hint: last.hint,
      retryable: failures.some(({ error }) => error.retryable),
      details: {
        causes: failures.map(({ provider, error }) => ({
          provider: provider.id,
          code: error.code,
          message: error.message,
          ...(error.details === undefined ? {} : { details: error.details }),
        })),
      },
      cause: last,
    },
  );
}
