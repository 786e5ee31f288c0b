/** Makes what a model is shown fit a number of tokens, by one of four strategies. */
import { messageText, type Message } from '../../core/element.ts';
import { AntiphonError, serializeError } from '../../core/errors.ts';
import { abortable } from '../../providers/abort.ts';
import type { ModelContext } from '../conversation/context-fit.ts';
import type { ContextBuilderOptions } from './context-options.ts';
import { exchangesOf, newest, tokensOf, type Exchange } from './exchanges.ts';
import { estimateMessageTokens, estimateTokens } from './token-estimate.ts';

/** What was summarised of a conversation, up to and with the message `lastId`. */
interface Summary {
  readonly text: string;
  readonly lastId: string;
  readonly count: number;
}

/** Tells the run about something. */
export type Tell = (type: string, detail: unknown) => void;

const summaryOf = ({ text, count }: Summary): string =>
  `Summary of ${count} earlier messages: ${text}`;

/** One conversation; remembers its summary. `fit` is called one at a time. */
export class ContextBudget {
  readonly #options: ContextBuilderOptions;
  readonly #count: (message: Message) => number;
  readonly #countText: (text: string) => number;
  #summary: Summary | undefined;

  constructor(options: ContextBuilderOptions) {
    this.#options = options;
    this.#count = options.countTokens ?? estimateMessageTokens;
    this.#countText = options.countTextTokens ?? estimateTokens;
  }

  /** @throws `context-length` when the prompt alone is too long, or anything is and the strategy is `fail`. */
  async fit(context: ModelContext, tell: Tell, signal: AbortSignal): Promise<ModelContext> {
    const { maxTokens, reserveForOutput = 1024, strategy = 'oldest' } = this.#options;
    if (maxTokens <= 0) return context;
    const budget = maxTokens - reserveForOutput - this.#countText(context.system);
    if (budget <= 0) throw this.#tooLong('The system prompt alone', budget, 0);
    const summary = this.#summary;
    // A summary whose last message has left the history stands for all that is older than the rest.
    const known = summary ? context.messages.findIndex(({ id }) => id === summary.lastId) + 1 : 0;
    const current = exchangesOf(context.messages.slice(known), this.#count);
    const before = summary ? this.#countText(summaryOf(summary)) : 0;
    if (before + tokensOf(current) <= budget) return compose(context.system, current, summary);
    if (strategy === 'fail') throw this.#tooLong('The conversation', budget, tokensOf(current));
    const kept = await this.#reduce(current, budget, tell, signal);
    const fitting = compose(context.system, kept, this.#summary);
    tell('context-truncated', {
      strategy,
      kept: fitting.messages.length,
      dropped: context.messages.length - fitting.messages.length,
      tokens: tokensOf(kept) + (this.#summary ? this.#countText(summaryOf(this.#summary)) : 0),
      budget,
    });
    return fitting;
  }

  async #reduce(
    current: readonly Exchange[],
    budget: number,
    tell: Tell,
    signal: AbortSignal,
  ): Promise<Exchange[]> {
    const { strategy } = this.#options;
    try {
      if (strategy === 'summarise') return await this.#summarise(current, budget, signal);
      if (strategy === 'relevance') return await this.#mostRelevant(current, budget, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      tell(`context-${strategy}-failed`, serializeError(error));
    }
    this.#summary = undefined;
    return newest(current, budget);
  }

  /** Half of the budget for what is recent, the other half for the summary of what is not. */
  async #summarise(
    current: readonly Exchange[],
    budget: number,
    signal: AbortSignal,
  ): Promise<Exchange[]> {
    const half = Math.floor(budget / 2);
    const recent = newest(current, half);
    const messages = current
      .slice(0, current.length - recent.length)
      .flatMap((exchange) => exchange.messages);
    const last = messages.at(-1);
    if (!last || !this.#options.summarise) return recent;
    const request = { previous: this.#summary?.text ?? '', messages, maxTokens: half, signal };
    const text = (await abortable(this.#options.summarise(request), signal)).trim();
    const count = (this.#summary?.count ?? 0) + messages.length;
    const summary = { text, lastId: last.id, count };
    const tokens = this.#countText(summaryOf(summary)) + tokensOf(recent);
    if (text === '' || tokens > budget)
      throw new AntiphonError('stage', text === '' ? 'The summary is empty.' : 'It is too long.', {
        hint: `Keep the summary below ${half} tokens.`,
        details: { tokens, budget },
      });
    this.#summary = summary;
    return recent;
  }

  async #mostRelevant(
    current: readonly Exchange[],
    budget: number,
    signal: AbortSignal,
  ): Promise<Exchange[]> {
    const { score, minScore = 0, minRecent = 3 } = this.#options;
    let from = current.length;
    for (let count = 0; from > 0 && (count < minRecent || from === current.length); from--)
      count += current[from - 1]?.messages.length ?? 0;
    const recent = newest(current.slice(from), budget);
    const candidates = current.slice(0, from);
    if (!score || candidates.length === 0) return recent;
    const asked = recent.at(-1)?.messages[0];
    const query = asked ? messageText(asked) : '';
    const texts = candidates.map(({ messages }) => messages.map(messageText).join('\n'));
    const scores = await abortable(score({ query, texts, signal }), signal);
    if (scores.length !== texts.length)
      throw new AntiphonError('stage', `${scores.length} scores for ${texts.length} texts.`, {
        hint: 'Answer with one score for each text.',
      });
    let room = budget - tokensOf(recent);
    const chosen = new Set<Exchange>();
    const ranked = candidates
      .map((exchange, index) => ({ exchange, score: scores[index] ?? Number.NaN }))
      .filter((each) => each.score >= minScore)
      .toSorted((a, b) => b.score - a.score);
    for (const { exchange } of ranked)
      if (exchange.tokens <= room) {
        chosen.add(exchange);
        room -= exchange.tokens;
      }
    return [...candidates.filter((exchange) => chosen.has(exchange)), ...recent];
  }

  #tooLong(what: string, budget: number, tokens: number): AntiphonError {
    const { maxTokens, reserveForOutput = 1024 } = this.#options;
    return new AntiphonError('context-length', `${what} exceeds the token budget.`, {
      hint: 'Shorten the prompt, begin a new conversation, or choose another strategy.',
      details: { maxTokens, reserveForOutput, budget, tokens },
    });
  }
}

function compose(
  system: string,
  exchanges: readonly Exchange[],
  summary: Summary | undefined,
): ModelContext {
  const parts = [system, ...(summary ? [summaryOf(summary)] : [])].filter((part) => part !== '');
  return {
    system: parts.join('\n\n'),
    messages: exchanges.flatMap(({ messages }) => messages),
  };
}
