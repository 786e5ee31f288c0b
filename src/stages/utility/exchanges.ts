/** A conversation in pieces that may be left out without leaving nonsense behind. */
import type { Message } from '../../core/element.ts';

/** What the user said and everything up to what the user said next. */
export interface Exchange {
  readonly messages: readonly Message[];
  readonly tokens: number;
}

/** Cuts before each message of the user; tool calls stay with their results. */
export function exchangesOf(
  messages: readonly Message[],
  count: (message: Message) => number,
): Exchange[] {
  const exchanges: { messages: Message[]; tokens: number }[] = [];
  for (const message of messages) {
    const current = exchanges.at(-1);
    if (current && message.role !== 'user') {
      current.messages.push(message);
      current.tokens += count(message);
    } else exchanges.push({ messages: [message], tokens: count(message) });
  }
  return exchanges;
}

/** Tokens of all of them. */
export function tokensOf(exchanges: readonly Exchange[]): number {
  return exchanges.reduce((sum, { tokens }) => sum + tokens, 0);
}

/** The newest that fit without a gap; the very newest always. */
export function newest(exchanges: readonly Exchange[], budget: number): Exchange[] {
  let tokens = 0;
  let from = exchanges.length;
  while (from > 0) {
    tokens += exchanges[from - 1]?.tokens ?? 0;
    if (tokens > budget && from < exchanges.length) break;
    from--;
  }
  return exchanges.slice(from);
}
