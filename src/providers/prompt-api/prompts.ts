/** Antiphon messages → the prompts of a session with Chrome's built-in model. */
import { messageText, type Message, type MessagePart } from '../../core/element.ts';
import { decodeBase64 } from '../base64.ts';
import { unsupportedMedia, wireMedia } from '../media.ts';
import type { ProviderRequest } from '../provider.ts';
import type { PromptContent, PromptMessage } from './built-in-model.ts';

/** A session's past, and what it is asked. */
export interface SessionPrompts {
  readonly initialPrompts: readonly PromptMessage<'system' | 'user' | 'assistant'>[];
  readonly prompt: PromptMessage[];
}

function contentOf(part: MessagePart, inputs: readonly string[]): PromptContent[] {
  if (part.type === 'reasoning') return [];
  if (part.type === 'text') return part.text === '' ? [] : [{ type: 'text', value: part.text }];
  const media = wireMedia(part);
  const taken = part.type === 'image' || part.type === 'audio';
  if (!taken || !inputs.includes(part.type) || 'url' in media)
    throw unsupportedMedia(
      'The Prompt API',
      part,
      'pictures and audio as bytes, where `inputs` names them',
    );
  const bytes = decodeBase64(media.base64);
  return [{ type: part.type, value: new Blob([bytes], { type: media.mediaType }) }];
}

function promptOf(message: Message, inputs: readonly string[]): PromptMessage[] {
  // Calls and their results are another model's business; its answer follows as text.
  if (message.role === 'tool') return [];
  if (message.role === 'user') {
    const content = message.parts.flatMap((part) => contentOf(part, inputs));
    return content.length === 0 ? [] : [{ role: 'user', content }];
  }
  const content = messageText(message);
  if (content === '') return [];
  // A system message may only come first.
  return [{ role: message.role === 'assistant' ? 'assistant' : 'user', content }];
}

/** The prompts of a request: what the user said last is asked, everything before it is the session's past. */
export function sessionPrompts(
  request: ProviderRequest,
  inputs: readonly ('image' | 'audio')[],
): SessionPrompts {
  const prompts = request.messages.flatMap((message) => promptOf(message, inputs));
  const lastReply = prompts.findLastIndex(({ role }) => role === 'assistant');
  const system = { role: 'system', content: request.system } as const;
  return {
    initialPrompts: [
      ...(request.system === '' ? [] : [system]),
      ...prompts.slice(0, lastReply + 1),
    ],
    prompt: prompts.slice(lastReply + 1),
  };
}
