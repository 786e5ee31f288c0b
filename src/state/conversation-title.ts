/** A conversation's title: the first words of the user. */
import { messageText, type Message } from '../core/element.ts';

const maxLength = 60;

/** The first words of the first user message, at most 60 characters, cut at a word; empty when there is none. */
export function conversationTitle(messages: readonly Message[]): string {
  const first = messages.find(
    (message) => message.role === 'user' && messageText(message).trim() !== '',
  );
  const text = first ? messageText(first).trim().replaceAll(/\s+/g, ' ') : '';
  if (text.length <= maxLength) return text;
  const cut = text.lastIndexOf(' ', maxLength);
  return `${text.slice(0, cut > 0 ? cut : maxLength)}…`;
}
