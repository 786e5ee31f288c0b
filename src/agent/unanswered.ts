/** What the person still waits for an answer to, when another mind takes over. */
import { element, type Message, type StreamElement } from '../core/element.ts';

/** The person's last message, unless it was answered to the end or they interrupted the answer. */
export function unanswered(history: readonly Message[]): Message | undefined {
  const last = history.findLastIndex(({ role }) => role === 'user');
  const replies = history.slice(last + 1).filter(({ role }) => role === 'assistant');
  const isAnswered = replies.some(({ finishReason }) => finishReason !== 'error');
  return isAnswered ? undefined : history[last];
}

/** That message as a turn of its own, nothing where there is none; it keeps its id, so that it is stored once. */
export function unansweredTurn(
  history: readonly Message[],
  nextTurn: () => number,
): StreamElement[] {
  const message = unanswered(history);
  if (!message) return [];
  const facts = { turn: nextTurn(), source: 'fallback' };
  return [element('message', { ...facts, message }), element('turn-end', facts)];
}
