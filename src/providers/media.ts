/** Media parts of messages in the two forms that vendors take: bytes as base64, or an address. */
import type { MessagePart } from '../core/element.ts';
import { AntiphonError } from '../core/errors.ts';
import { encodeBase64 } from './base64.ts';

/** A part that is not words. */
export type MediaPart = Exclude<MessagePart, { readonly text: string }>;

/** Base64 with its media type, or the address the vendor is to fetch. */
export type WireMedia =
  | { readonly base64: string; readonly mediaType: string }
  | { readonly url: string; readonly mediaType: string };

/** A part in wire form; a `data:` URL counts as bytes. */
export function wireMedia({ data, mediaType }: MediaPart): WireMedia {
  if (typeof data !== 'string') return { base64: encodeBase64(data), mediaType };
  const inline = /^data:([^;,]*)[^,]*;base64,(.*)$/s.exec(data);
  if (!inline) return { url: data, mediaType };
  return { base64: inline[2] ?? '', mediaType: inline[1] === '' ? mediaType : (inline[1] ?? '') };
}

/** The address of a part, or its bytes as a `data:` URL. */
export function mediaUrl(part: MediaPart): string {
  const media = wireMedia(part);
  return 'url' in media ? media.url : `data:${media.mediaType};base64,${media.base64}`;
}

/** The format name some vendors want instead of a media type: `wav` of `audio/x-wav`, `mp3` of `audio/mpeg`. */
export function audioFormat(mediaType: string): string {
  const name = (/\/(?:x-)?([\w.-]+)/.exec(mediaType)?.[1] ?? 'wav').toLowerCase();
  return { mpeg: 'mp3', wave: 'wav', 'vnd.wave': 'wav' }[name] ?? name;
}

/** The error of a part that a vendor does not take; `takes` says what it does. */
export function unsupportedMedia(vendor: string, part: MediaPart, takes: string): AntiphonError {
  const form = typeof part.data === 'string' ? 'by address' : 'as bytes';
  return new AntiphonError(
    'unsupported',
    `${vendor} takes no ${part.type} (${part.mediaType}) ${form}.`,
    {
      hint: `It takes ${takes}; convert the part or leave it out.`,
      details: { type: part.type, mediaType: part.mediaType },
    },
  );
}
