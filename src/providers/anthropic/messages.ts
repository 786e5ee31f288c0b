/** Antiphon messages → the Messages API. */
import { messageText, type Message, type MessagePart, type ToolCall } from '../../core/element.ts';
import { decodeBase64 } from '../base64.ts';
import { arrayOf, recordOf } from '../chat/json.ts';
import { unsupportedMedia, wireMedia, type MediaPart } from '../media.ts';
import type { ProviderRequest } from '../provider.ts';

type Block = Readonly<Record<string, unknown>>;

interface WireMessage {
  readonly role: 'user' | 'assistant';
  readonly content: Block[];
}

/** What the user is said to have said before an assistant that speaks first: a conversation has to begin with the user. */
const opening: Block = { type: 'text', text: '(The conversation begins.)' };

const takes = 'JPEG, PNG, GIF and WebP pictures, PDF and plain text files';

function mediaBlock(part: MediaPart): Block {
  const media = wireMedia(part);
  const type = media.mediaType.split(';')[0]?.trim() ?? '';
  const source =
    'url' in media
      ? { type: 'url', url: media.url }
      : { type: 'base64', media_type: type, data: media.base64 };
  if (part.type === 'image' && (/^image\/(?:jpeg|png|gif|webp)$/.test(type) || 'url' in media))
    return { type: 'image', source };
  if (part.type === 'file' && type === 'application/pdf') return { type: 'document', source };
  if (part.type === 'file' && type === 'text/plain' && 'base64' in media) {
    const text = new TextDecoder().decode(decodeBase64(media.base64));
    return { type: 'document', source: { type: 'text', media_type: 'text/plain', data: text } };
  }
  throw unsupportedMedia('Anthropic', part, takes);
}

function textBlock(text: string): Block[] {
  // Empty text blocks are refused.
  return text.trim() === '' ? [] : [{ type: 'text', text }];
}

function userBlocks(parts: readonly MessagePart[]): Block[] {
  return parts.flatMap((part) => {
    if (part.type === 'reasoning') return [];
    return part.type === 'text' ? textBlock(part.text) : [mediaBlock(part)];
  });
}

/** Ids of other vendors may hold characters that this one refuses. */
const wireId = (id: string): string => id.replaceAll(/[^\w-]/g, '_');

/** The thinking that stood before a call, as it came. */
function thinkingBefore(call: ToolCall): Block[] {
  return arrayOf(recordOf(call.providerData?.['anthropic'])['before']).map(recordOf);
}

function callBlock(call: ToolCall): Block {
  const { id, name, arguments: given } = call;
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  return { type: 'tool_use', id: wireId(id), name, input: isObject ? given : { input: given } };
}

function assistantBlocks(message: Message): Block[] {
  const [first, ...rest] = message.toolCalls ?? [];
  // A last message of the assistant may not end with white space.
  const text = textBlock(messageText(message).trimEnd());
  if (!first) return text;
  return [
    ...thinkingBefore(first),
    ...text,
    callBlock(first),
    ...rest.flatMap((call) => [...thinkingBefore(call), callBlock(call)]),
  ];
}

/**
 * `system` and `messages` of a request. Neighbours of one role become one message, so that all results of one
 * turn stand together and first; media in the assistant's own messages are left out.
 *
 * @throws `unsupported` for media the API does not take
 */
export function anthropicMessages(request: ProviderRequest): Record<string, unknown> {
  const system = [request.system];
  const messages: WireMessage[] = [];
  const add = (role: WireMessage['role'], content: readonly Block[]): void => {
    if (content.length === 0) return;
    const last = messages.at(-1);
    if (last?.role === role) last.content.push(...content);
    else {
      if (!last && role === 'assistant') messages.push({ role: 'user', content: [opening] });
      messages.push({ role, content: [...content] });
    }
  };
  for (const message of request.messages) {
    if (message.role === 'system') system.push(messageText(message));
    else if (message.role === 'assistant') add('assistant', assistantBlocks(message));
    else if (message.role === 'user') add('user', userBlocks(message.parts));
    else
      add('user', [
        {
          type: 'tool_result',
          tool_use_id: wireId(message.toolCallId ?? ''),
          content: messageText(message),
        },
      ]);
  }
  const prompt = system.filter((text) => text !== '').join('\n\n');
  return { ...(prompt === '' ? {} : { system: prompt }), messages };
}
