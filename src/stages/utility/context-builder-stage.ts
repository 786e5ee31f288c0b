/** Keeps what the model is shown within its window, however long the conversation grows. */
import type { StreamElement } from '../../core/element.ts';
import { AntiphonError } from '../../core/errors.ts';
import type { Stage, StageContext, TurnState } from '../../core/stage/stage.ts';
import { setContextFit } from '../conversation/context-fit.ts';
import { checkKnown } from '../known-option.ts';
import { ContextBudget } from './context-budget.ts';
import type { ContextBuilderOptions } from './context-options.ts';

/**
 * Gives each turn a budget that `ProviderStage` keeps: before every call of the model (tool rounds
 * included) what it would be shown, stored history and this run alike, is made to fit
 * `maxTokens − reserveForOutput − system prompt`. Nothing waits in this stage and nothing is dropped from the
 * stream: it consumes and emits nothing and passes everything on at once. Place it anywhere before the
 * provider. A stage of your own that calls a model asks `contextFitOf(context.turn(n))`.
 *
 * What goes, goes by whole exchanges (what the user said up to what the user said next), so that tool
 * calls keep their results; the newest exchange always stays, even alone over the budget.
 *
 * | strategy | when it is too much |
 * |---|---|
 * | `oldest` | the oldest exchanges go |
 * | `summarise` | what does not fit half of the budget is summarised at the end of the system prompt; the next time only when it is too much again |
 * | `relevance` | the newest `minRecent` messages stay, and of the others those that score highest, in their order |
 * | `fail` | the reply fails with `context-length` |
 *
 * A callback that fails, and a summary that is too long, fall back to `oldest` (events
 * `context-summarise-failed`, `context-relevance-failed`). Event `context-truncated`
 * `{turn, strategy, kept, dropped, tokens, budget}`. A system prompt without room for anything else fails the reply
 * with `context-length`, whatever the strategy.
 */
export class ContextBuilderStage implements Stage<never, never> {
  readonly name = 'context-builder';
  readonly type = 'transform';
  readonly session = 'safe';
  readonly consumes: readonly never[] = [];
  readonly emits: readonly never[] = [];
  readonly #options: ContextBuilderOptions;

  /** @throws `invalid-argument` when the strategy is none of the four or lacks its callback, or a number of tokens is none. */
  constructor(options: ContextBuilderOptions) {
    const { strategy = 'oldest', summarise, score, maxTokens, reserveForOutput = 0 } = options;
    checkKnown(this.name, 'strategy', strategy, ['oldest', 'summarise', 'relevance', 'fail']);
    for (const [name, tokens] of Object.entries({ maxTokens, reserveForOutput }))
      if (Number.isNaN(tokens) || (name === 'reserveForOutput' && tokens < 0))
        throw new AntiphonError('invalid-argument', `${this.name}: ${name} is ${tokens}`, {
          hint: 'Give a number of tokens.',
          stage: this.name,
        });
    const missing =
      (strategy === 'summarise' && !summarise && 'summarise') ||
      (strategy === 'relevance' && !score && 'score');
    if (missing)
      throw new AntiphonError('invalid-argument', `The strategy ${strategy} needs a callback.`, {
        hint: `Give ${missing} in the options.`,
        stage: this.name,
      });
    this.#options = options;
  }

  /** Passes everything on; see the class. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const budgets = new Map<string, ContextBudget>();
    const seen = new WeakSet<TurnState>();
    for await (const item of input) {
      const state = context.turn(item.turn);
      if (!seen.has(state)) {
        seen.add(state);
        setContextFit(state, (given, signal) => {
          const budget = budgets.get(state.conversation) ?? new ContextBudget(this.#options);
          budgets.set(state.conversation, budget);
          const tell = (type: string, detail: unknown): void =>
            context.emit(type, { turn: state.turn, ...Object(detail) });
          return budget.fit(given, tell, signal);
        });
      }
      yield item;
    }
  }
}
