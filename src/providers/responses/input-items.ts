/** Antiphon messages → input items of the Responses API. */
import { messageText, type Message, type MessagePart, type ToolCall } from '../../core/element.ts';
import { arrayOf, recordOf, stringOf } from '../chat/json.ts';
import { mediaUrl, unsupportedMedia, wireMedia } from '../media.ts';

type Item = Readonly<Record<string, unknown>>;

function contentOf(part: MessagePart): Item[] {
  if (part.type === 'reasoning') return [];
  if (part.type === 'text')
    return part.text === '' ? [] : [{ type: 'input_text', text: part.text }];
  const url = mediaUrl(part);
  if (part.type === 'image') return [{ type: 'input_image', image_url: url, detail: 'auto' }];
  if (part.type === 'file')
    return [
      'url' in wireMedia(part)
        ? { type: 'input_file', file_url: url }
        : { type: 'input_file', filename: fileName(part.mediaType), file_data: url },
    ];
  throw unsupportedMedia('The Responses API', part, 'images and files');
}

/** The vendor tells files by the ending of their name. */
function fileName(mediaType: string): string {
  const ending = /\/([\w-]+)/.exec(mediaType)?.[1] ?? 'bin';
  return `file.${{ plain: 'txt', markdown: 'md' }[ending] ?? ending}`;
}

function callItems(call: ToolCall): Item[] {
  const own = recordOf(call.providerData?.['openai']);
  const id = stringOf(own['id']);
  return [
    ...arrayOf(own['before']).map(recordOf),
    {
      type: 'function_call',
      ...(id === '' ? {} : { id }),
      call_id: call.id,
      name: call.name,
      arguments: JSON.stringify(call.arguments ?? {}),
    },
  ];
}

function itemsOf(message: Message): Item[] {
  const text = messageText(message);
  if (message.role === 'tool')
    return [{ type: 'function_call_output', call_id: message.toolCallId ?? '', output: text }];
  if (message.role === 'user') {
    const content = message.parts.flatMap(contentOf);
    return content.length === 0 ? [] : [{ role: 'user', content }];
  }
  return [
    ...(text === '' ? [] : [{ role: message.role, content: text }]),
    ...(message.toolCalls ?? []).flatMap(callItems),
  ];
}

/**
 * The input of a request. Reasoning that led to a call stands before it; media in the assistant's own messages
 * are left out.
 *
 * @throws `unsupported` for audio and video
 */
export function inputItems(messages: readonly Message[]): Item[] {
  return messages.flatMap(itemsOf);
}
