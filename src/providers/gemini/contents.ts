/** Antiphon messages → the contents of `generateContent`. */
import { messageText, type Message, type MessagePart, type ToolCall } from '../../core/element.ts';
import { recordOf, stringOf } from '../chat/json.ts';
import { wireMedia } from '../media.ts';
import type { ProviderRequest } from '../provider.ts';

type Part = Readonly<Record<string, unknown>>;

interface Content {
  readonly role: 'user' | 'model';
  readonly parts: Part[];
}

/** What the user is said to have said before a model that speaks first: a conversation has to begin with the user. */
const opening: Part = { text: '(The conversation begins.)' };

/**
 * Gemini 3 refuses calls without a signature; with this one it takes those of other models (as the AI SDK's
 * Google provider does).
 */
const foreignSignature = 'skip_thought_signature_validator';

function userParts(parts: readonly MessagePart[]): Part[] {
  return parts.flatMap((part): Part[] => {
    if (part.type === 'reasoning') return [];
    if (part.type === 'text') return part.text === '' ? [] : [{ text: part.text }];
    const media = wireMedia(part);
    const { mediaType: mimeType } = media;
    return [
      'url' in media
        ? { fileData: { mimeType, fileUri: media.url } }
        : { inlineData: { mimeType, data: media.base64 } },
    ];
  });
}

/** The id Gemini gave the call; none for calls it gave none and for those of other models. */
function ownId(call: ToolCall | undefined): Part {
  const id = stringOf(recordOf(call?.providerData?.['gemini'])['id']);
  return id === '' ? {} : { id };
}

function modelParts(message: Message): Part[] {
  const text = messageText(message);
  return [
    ...(text === '' ? [] : [{ text }]),
    ...(message.toolCalls ?? []).map((call, index) => {
      const own = call.providerData?.['gemini'];
      const signature = stringOf(recordOf(own)['thoughtSignature']);
      const sent = own === undefined && index === 0 ? foreignSignature : signature;
      return {
        functionCall: { ...ownId(call), name: call.name, args: objectOf(call.arguments, 'input') },
        ...(sent === '' ? {} : { thoughtSignature: sent }),
      };
    }),
  ];
}

/** Arguments and results are objects on the wire; anything else is wrapped under `name`. */
function objectOf(value: unknown, name: string): Part {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Part) : { [name]: value };
}

function resultPart(message: Message, call: ToolCall | undefined): Part {
  const text = messageText(message);
  let result: unknown = text;
  try {
    result = JSON.parse(text);
  } catch {
    // Plain words: a result like any other.
  }
  return {
    functionResponse: {
      ...ownId(call),
      name: call?.name ?? message.toolCallId ?? '',
      response: objectOf(result, 'output'),
    },
  };
}

/**
 * `systemInstruction` and `contents` of a request. Neighbours of one role become one content, so that all results
 * of one turn stand together; media in the model's own messages are left out.
 */
export function geminiContents(request: ProviderRequest): Record<string, unknown> {
  const system = [request.system];
  const contents: Content[] = [];
  const calls = new Map<string, ToolCall>();
  const add = (role: Content['role'], parts: readonly Part[]): void => {
    if (parts.length === 0) return;
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else {
      if (!last && role === 'model') contents.push({ role: 'user', parts: [opening] });
      contents.push({ role, parts: [...parts] });
    }
  };
  for (const message of request.messages) {
    for (const call of message.toolCalls ?? []) calls.set(call.id, call);
    if (message.role === 'system') system.push(messageText(message));
    else if (message.role === 'assistant') add('model', modelParts(message));
    else if (message.role === 'user') add('user', userParts(message.parts));
    else add('user', [resultPart(message, calls.get(message.toolCallId ?? ''))]);
  }
  const text = system.filter((prompt) => prompt !== '').join('\n\n');
  return { ...(text === '' ? {} : { systemInstruction: { parts: [{ text }] } }), contents };
}
