/** Antiphon messages → chat completions messages. */
import { messageText, type Message, type ToolCall } from '../../core/element.ts';
import { audioFormat, mediaUrl, unsupportedMedia, wireMedia, type MediaPart } from '../media.ts';
import type { ProviderRequest } from '../provider.ts';
import { recordOf } from './json.ts';

/** A message as it goes over the wire. */
export type ChatMessage = Readonly<Record<string, unknown>> & { readonly role: string };

function mediaPart(part: MediaPart): Record<string, unknown> {
  if (part.type === 'image') return { type: 'image_url', image_url: { url: mediaUrl(part) } };
  const media = wireMedia(part);
  if (part.type === 'audio' && 'base64' in media)
    return {
      type: 'input_audio',
      input_audio: { data: media.base64, format: audioFormat(media.mediaType) },
    };
  if (part.type === 'file' && 'base64' in media)
    return { type: 'file', file: { filename: 'file', file_data: mediaUrl(part) } };
  throw unsupportedMedia(
    'Chat completions',
    part,
    'images (bytes or URL), audio and files (bytes)',
  );
}

function userMessage(message: Message): ChatMessage {
  if (message.parts.every((part) => part.type === 'text' || part.type === 'reasoning'))
    return { role: 'user', content: messageText(message) };
  const content = message.parts.flatMap((part) => {
    if (part.type === 'reasoning') return [];
    return [part.type === 'text' ? { type: 'text', text: part.text } : mediaPart(part)];
  });
  return { role: 'user', content };
}

/** What the server at `where` added to the call, and wants back: Gemini its signature of the thinking. */
function extraOf({ providerData }: ToolCall, where: string): object {
  const { where: origin, extra_content } = recordOf(providerData?.['chat']);
  return origin === where ? { extra_content } : {};
}

function assistantMessage(message: Message, where: string): ChatMessage {
  const text = messageText(message);
  const calls = message.toolCalls ?? [];
  if (calls.length === 0) return { role: 'assistant', content: text };
  return {
    role: 'assistant',
    content: text === '' ? null : text,
    tool_calls: calls.map((call) => ({
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: JSON.stringify(call.arguments ?? {}) },
      ...extraOf(call, where),
    })),
  };
}

/**
 * The wire messages of a request: the system prompt first, reasoning left out. Neighbouring user
 * messages of plain text become one: the chat templates of many local models insist that roles alternate. `where` is
 * the public address.
 */
export function chatMessages(request: ProviderRequest, where: string): ChatMessage[] {
  const wire: ChatMessage[] = [];
  if (request.system !== '') wire.push({ role: 'system', content: request.system });
  for (const message of request.messages) {
    if (message.role === 'tool') {
      wire.push({
        role: 'tool',
        tool_call_id: message.toolCallId ?? '',
        content: messageText(message),
      });
      continue;
    }
    if (message.role === 'assistant') {
      wire.push(assistantMessage(message, where));
      continue;
    }
    const next =
      message.role === 'user'
        ? userMessage(message)
        : { role: 'system', content: messageText(message) };
    const last = wire.at(-1);
    if (
      last?.role === 'user' &&
      next.role === 'user' &&
      typeof last['content'] === 'string' &&
      typeof next['content'] === 'string'
    )
      wire[wire.length - 1] = { role: 'user', content: `${last['content']}\n${next['content']}` };
    else wire.push(next);
  }
  return wire;
}
