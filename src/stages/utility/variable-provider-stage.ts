/** Gathers, once per turn, the values the system template of that turn names. */
import { abortable } from '../../core/abortable.ts';
import { element, type StreamElement } from '../../core/element.ts';
import { AntiphonError, serializeError, toAntiphonError } from '../../core/errors.ts';
import type { Stage, StageContext, TurnState } from '../../core/stage/stage.ts';
import { sleep } from '../../core/time.ts';

/** What a {@link VariableProvider} is told about the turn it provides for. */
export interface VariableRequest {
  readonly turn: number;
  /** Identifies the conversation in a state store. */
  readonly conversation: string;
  /** Aborts when time is up, when the turn is interrupted and when the run ends. */
  readonly signal: AbortSignal;
}

/** Knows the values of some variables. */
export interface VariableProvider {
  /** Appears in errors. */
  readonly name: string;
  /** How long it may take, in ms; the stage's `timeoutMs` unless given. */
  readonly timeoutMs?: number;
  /** True: the run fails when this one does. Default false: the turn goes on without its values. */
  readonly required?: boolean;
  /** The values as of now; called once per turn. */
  provide(
    request: VariableRequest,
  ): Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;
}

/** Settings of {@link VariableProviderStage}. */
export interface VariableProviderOptions {
  /** Values that never change. Default none. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Asked all at once; of two that give the same name the later in the list wins. Default none. */
  readonly providers?: readonly VariableProvider[];
  /** How long a provider may take, in ms. Default 1000: somebody is waiting for an answer. */
  readonly timeoutMs?: number;
}

/**
 * Merges variables into `TurnState.variables` before the first message of a turn (or, where none comes,
 * its `turn-end`) passes: those of the turn, overridden by the static ones, overridden by the providers'.
 * Place it before `TemplateStage`. Consumes nothing and passes everything on in order, unchanged; while
 * providers are asked, at most for the longest timeout, what follows the message waits.
 *
 * A provider that fails or takes too long becomes an `error` element (codes as it threw them, else `stage`;
 * `execution-timeout` when late) and the turn goes on without its values, unless it is `required`: then the
 * run fails. An interrupt of the turn stops the waiting without an error.
 *
 * @example
 * new VariableProviderStage({ variables: { shop: 'Kiosk' }, providers: [timeVariables({ timeZone: 'Europe/Berlin' })] })
 */
export class VariableProviderStage implements Stage<never, 'error'> {
  readonly name = 'variable-provider';
  readonly type = 'transform';
  readonly session = 'safe';
  readonly consumes: readonly never[] = [];
  readonly emits = ['error'] as const;
  readonly #options: VariableProviderOptions;

  constructor(options: VariableProviderOptions) {
    this.#options = options;
  }

  /** Passes everything on; see the class. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const provided = new WeakSet<TurnState>();
    for await (const item of input) {
      const asks =
        item.kind === 'turn-end' ||
        (item.kind === 'message' && item.meta?.['fromHistory'] !== true);
      const state = context.turn(item.turn);
      if (asks && !provided.has(state)) {
        provided.add(state);
        for (const error of await this.#provide(state, context))
          yield element('error', {
            turn: item.turn,
            at: item.at,
            source: this.name,
            error: { ...serializeError(error), stage: this.name },
          });
      }
      yield item;
    }
  }

  /** Fills in the turn's variables; what went wrong without stopping the run is returned. */
  async #provide(state: TurnState, context: StageContext): Promise<AntiphonError[]> {
    const { variables, providers = [] } = this.#options;
    const outcomes = await Promise.allSettled(
      providers.map((provider) => this.#ask(provider, state, context)),
    );
    context.signal.throwIfAborted();
    let values = { ...state.variables, ...variables };
    const errors: AntiphonError[] = [];
    for (const [index, outcome] of outcomes.entries())
      if (outcome.status === 'fulfilled') values = { ...values, ...outcome.value };
      else if (!context.turnSignal(state.turn).aborted) {
        const provider = providers[index];
        const error = this.#failure(provider?.name ?? '', outcome.reason);
        if (provider?.required === true) throw error;
        errors.push(error);
      }
    state.variables = values;
    return errors;
  }

  async #ask(
    provider: VariableProvider,
    { turn, conversation }: TurnState,
    context: StageContext,
  ): Promise<Readonly<Record<string, unknown>>> {
    const timeoutMs = provider.timeoutMs ?? this.#options.timeoutMs ?? 1000;
    const late = new AbortController();
    const answered = new AbortController();
    sleep(context.clock, timeoutMs, answered.signal).then(
      () => late.abort(new AntiphonError('execution-timeout', `no answer in ${timeoutMs} ms`)),
      () => {},
    );
    const signal = AbortSignal.any([context.signal, context.turnSignal(turn), late.signal]);
    try {
      signal.throwIfAborted();
      const asked = (async () => provider.provide({ turn, conversation, signal }))();
      return await abortable(asked, signal);
    } finally {
      answered.abort();
    }
  }

  #failure(provider: string, reason: unknown): AntiphonError {
    const { code, message, retryable } = toAntiphonError(reason, 'stage');
    return new AntiphonError(code, `The variables of "${provider}" are missing: ${message}`, {
      hint: 'The turn goes on without them unless the provider is required.',
      retryable,
      stage: this.name,
      details: { provider },
      cause: reason,
    });
  }
}
