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

/**
 * Each call with its result right behind it, in the order of the calls; calls without results and results without
 * calls are dropped: no server takes anything else.
 */
function paired(messages: readonly Message[]): Message[] {
  const used = new Set<Message>();
  return messages.flatMap((message, at) => {
    if (message.role === 'tool') return [];
    const { toolCalls, ...rest } = message;
    if (toolCalls === undefined) return [message];
    const results = toolCalls.map(({ id }) => {
      const result = messages.find(
        (other, index) => index > at && other.toolCallId === id && !used.has(other),
      );
      if (result) used.add(result);
      return result;
    });
    const answered = toolCalls.filter((_, index) => results[index] !== undefined);
    return [
      answered.length > 0 ? { ...rest, toolCalls: answered } : rest,
      ...results.filter((result) => result !== undefined),
    ];
  });
}

/**
 * The last `limit` messages for a model, oldest first, beginning with a user's. Replies that were cut off
 * appear as they were heard; a reply nobody heard a word of is left out.
 */
export function modelHistory(messages: readonly Message[], limit: number): Message[] {
  const recent = messages.slice(Math.max(0, messages.length - limit));
  const begin = recent.findIndex(({ role }) => role === 'user');
  return paired(recent.slice(Math.max(0, begin)).map(asHeard)).filter(
    (message) => !saysNothing(message),
  );
}
