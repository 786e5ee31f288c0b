/** Antiphon messages → the prompt of an AI SDK language model. */
import { messageText, type Message, type MessagePart, type ToolCall } from '../../core/element.ts';
import { arrayOf, recordOf } from '../chat/json.ts';
import { wireMedia, type MediaPart } from '../media.ts';
import type { ProviderRequest } from '../provider.ts';

type Part = Readonly<Record<string, unknown>>;

interface PromptMessage {
  readonly role: string;
  readonly content: string | Part[];
}

/** Version 4 says what kind of data it is; the earlier ones tell an address by its class. */
function filePart(part: MediaPart, version: string): Part {
  const media = wireMedia(part);
  const { mediaType } = media;
  if ('url' in media) {
    const url = new URL(media.url, globalThis.location?.href);
    return { type: 'file', mediaType, data: version === 'v4' ? { type: 'url', url } : url };
  }
  const data = version === 'v4' ? { type: 'data', data: media.base64 } : media.base64;
  return { type: 'file', mediaType, data };
}

function textParts(text: string): Part[] {
  return text === '' ? [] : [{ type: 'text', text }];
}

function userParts(parts: readonly MessagePart[], version: string): Part[] {
  return parts.flatMap((part) => {
    if (part.type === 'reasoning') return [];
    return part.type === 'text' ? textParts(part.text) : [filePart(part, version)];
  });
}

function callParts(call: ToolCall): Part[] {
  const own = recordOf(call.providerData?.['ai-sdk']);
  return [
    ...arrayOf(own['before']).map(recordOf),
    {
      type: 'tool-call',
      toolCallId: call.id,
      toolName: call.name,
      input: call.arguments ?? {},
      ...(own['metadata'] === undefined ? {} : { providerOptions: own['metadata'] }),
    },
  ];
}

function assistantParts(message: Message): Part[] {
  const [first = [], ...rest] = (message.toolCalls ?? []).map(callParts);
  // The thinking that led to the first call stands before the words said with it.
  const before = first.slice(0, -1);
  return [...before, ...textParts(messageText(message)), ...first.slice(-1), ...rest.flat()];
}

/** The prompt of a request, for a model of this version of the specification. Results of one turn stand in one message. */
export function modelPrompt(request: ProviderRequest, version: string): PromptMessage[] {
  const prompt: PromptMessage[] = [];
  const names = new Map<string, string>();
  if (request.system !== '') prompt.push({ role: 'system', content: request.system });
  for (const message of request.messages) {
    for (const call of message.toolCalls ?? []) names.set(call.id, call.name);
    const text = messageText(message);
    if (message.role === 'system') prompt.push({ role: 'system', content: text });
    else if (message.role === 'tool') {
      const toolCallId = message.toolCallId ?? '';
      const result = {
        type: 'tool-result',
        toolCallId,
        toolName: names.get(toolCallId) ?? '',
        output: { type: 'text', value: text },
      };
      const last = prompt.at(-1);
      if (last?.role === 'tool' && typeof last.content !== 'string') last.content.push(result);
      else prompt.push({ role: 'tool', content: [result] });
    } else {
      const content =
        message.role === 'user' ? userParts(message.parts, version) : assistantParts(message);
      if (content.length > 0) prompt.push({ role: message.role, content });
    }
  }
  return prompt;
}
