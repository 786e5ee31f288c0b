/** Lets a stage decide what of the past the model is shown, at the moment it is asked. */
import type { Message } from '../../core/element.ts';
import type { TurnState } from '../../core/stage/stage.ts';
import type { Provider } from '../../providers/provider.ts';

/** What a model is shown. */
export interface ModelContext {
  /** Rendered system prompt; empty for none. */
  readonly system: string;
  /** Oldest first, without system messages; a tool's result comes behind its call. */
  readonly messages: readonly Message[];
}

/**
 * Makes the context fit. Asked before each call of the model, tool rounds included. A rejection ends the
 * reply as a failure of the provider would.
 */
export type ContextFit = (context: ModelContext, signal: AbortSignal) => Promise<ModelContext>;

const fits = new WeakMap<TurnState, ContextFit>();

/** Has `fit` asked when the model is called in this turn; the last one set counts. */
export function setContextFit(turn: TurnState, fit: ContextFit): void {
  fits.set(turn, fit);
}

/** The {@link ContextFit} of a turn, for a stage of your own that calls a model; undefined when none was set. */
export function contextFitOf(turn: TurnState): ContextFit | undefined {
  return fits.get(turn);
}

/** The provider, shown what `fit` makes of each request. */
export function withContextFit(provider: Provider, fit: ContextFit): Provider {
  return {
    id: provider.id,
    ...(provider.tools === undefined ? {} : { tools: provider.tools }),
    async *stream(request, options) {
      const fitting = await fit(request, options.signal);
      const { system, messages } = fitting;
      yield* provider.stream({ ...request, system, messages }, options);
    },
  };
}
