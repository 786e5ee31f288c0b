/**
 * Names for content: `ni:///sha-256;<digest>?ct=image/png`, as in RFC 6920 (Naming Things with Hashes,
 * https://www.rfc-editor.org/rfc/rfc6920): the SHA-256 of the bytes in base64url, and their media type.
 */
import { AntiphonError } from '../core/errors.ts';

/** A reference taken apart. */
export interface MediaName {
  /** SHA-256 of the content, base64url, 43 characters. */
  readonly digest: string;
  /** Undefined when the reference has none. */
  readonly mediaType?: string;
}

const form = /^ni:\/\/\/sha-256;([\w-]{43})(?:\?ct=([^&#]*))?$/;

/** The digest of `data`, as it stands in references. Needs a secure context (https or localhost) in browsers. */
export async function digestOf(data: Uint8Array<ArrayBuffer>): Promise<string> {
  const { subtle } = crypto;
  if (!(subtle as SubtleCrypto | undefined))
    throw new AntiphonError('insecure-context', 'This page has no crypto.subtle.', {
      hint: 'Serve it over https, or from localhost.',
    });
  const hash = new Uint8Array(await subtle.digest('SHA-256', data));
  const base64 = btoa(String.fromCharCode(...hash));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** The reference to the content of `digest`. */
export function mediaReference(digest: string, mediaType?: string): string {
  const type = mediaType === undefined ? '' : `?ct=${encodeType(mediaType)}`;
  return `ni:///sha-256;${digest}${type}`;
}

/** What `reference` names; undefined when it is no reference, an ordinary URL for example. */
export function parseMediaReference(reference: string): MediaName | undefined {
  const [, digest, type] = form.exec(reference) ?? [];
  if (digest === undefined) return undefined;
  if (type === undefined) return { digest };
  try {
    return { digest, mediaType: decodeURIComponent(type) };
  } catch {
    return undefined;
  }
}

function encodeType(mediaType: string): string {
  return encodeURIComponent(mediaType).replaceAll('%2F', '/');
}
