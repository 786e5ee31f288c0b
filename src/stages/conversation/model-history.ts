/** What a model is shown of the past: what was heard, in whole exchanges, within a bound. */
import { messageText, type Message } from '../../core/element.ts';

/** `message` with `text` as its only text; reasoning goes, other parts stay. */
export function withText(message: Message, text: string): Message {
  const others = message.parts.filter((part) => part.type !== 'text' && part.type !== 'reasoning');
  return { ...message, parts: text === '' ? others : [{ type: 'text', text }, ...others] };
}

/** The message as the person knows it: an assistant's text is what was heard of it. */
function asHeard(message: Message): Message {
  const { role, heard } = message;
  if (role !== 'assistant' || heard === undefined || heard === messageText(message)) return message;
  return withText(message, heard);
}

function saysNothing(message: Message): boolean {
  return (
    message.role === 'assistant' &&
    message.toolCalls === undefined &&
    message.parts.every(
      (part) => part.type === 'reasoning' || (part.type === 'text' && part.text === ''),
    )
  );
}

/** Drops calls without results and results without calls: no server takes them. */
function pairedOnly(messages: readonly Message[]): Message[] {
  const answered = new Set(messages.map(({ toolCallId }) => toolCallId));
  const asked = new Set<string>();
  const paired: Message[] = [];
  for (const message of messages) {
    if (message.role === 'tool' && !asked.has(message.toolCallId ?? '')) continue;
    const { toolCalls, ...rest } = message;
    const calls = toolCalls?.filter(({ id }) => answered.has(id)) ?? [];
    for (const { id } of calls) asked.add(id);
    paired.push(calls.length > 0 ? { ...rest, toolCalls: calls } : rest);
  }
  return paired;
}

/**
 * The last `limit` messages for a model, oldest first, beginning with a user's. Replies that were cut off
 * appear as they were heard; a reply nobody heard a word of is left out.
 */
export function modelHistory(messages: readonly Message[], limit: number): Message[] {
  const recent = messages.slice(Math.max(0, messages.length - limit));
  const begin = recent.findIndex(({ role }) => role === 'user');
  return pairedOnly(recent.slice(Math.max(0, begin)).map(asHeard)).filter(
    (message) => !saysNothing(message),
  );
}
