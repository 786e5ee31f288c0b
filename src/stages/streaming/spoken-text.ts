/** What of a stream is to be spoken: the assistant's words, and nobody else's. */
import type { MessageElement, TextElement } from '../../core/element.ts';

/** True for a message of the assistant that belongs to this session, not to its stored history. */
export function isReply(element: MessageElement): boolean {
  return element.message.role === 'assistant' && element.meta?.['fromHistory'] !== true;
}

/** True for text the assistant says: increments of a reply, and text to be said as it is. */
export function isSpokenText(element: TextElement): boolean {
  const role = element.role ?? 'assistant';
  return role === 'assistant' && element.meta?.['fromHistory'] !== true;
}

/** True for words that only bridge a wait: they are said, but are no part of the reply. */
export function isFiller(element: TextElement): boolean {
  return element.meta?.['filler'] === true;
}

/** True for a reply that goes on after its tools have run. */
export function goesOn(element: MessageElement): boolean {
  return (element.message.toolCalls?.length ?? 0) > 0;
}
