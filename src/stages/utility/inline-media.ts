/** Media that sits inside an element: bytes, or a URL that holds them or dies with the page. */

/** Media on its way into a store. */
export interface InlineMedia {
  readonly mediaType: string;
  readonly data: Uint8Array<ArrayBuffer> | string;
}

/**
 * True for what should go out: more than `maxBytes` bytes, as such or in a `data:` URL, and every `blob:` URL,
 * which would mean nothing any more once the page is closed.
 */
export function isInline({ data }: InlineMedia, maxBytes: number): boolean {
  if (typeof data !== 'string') return data.byteLength > maxBytes;
  if (data.startsWith('blob:')) return true;
  return data.startsWith('data:') && sizeOfDataUrl(data) > maxBytes;
}

/** The bytes. Rejects when they can't be had: a revoked `blob:` URL, or a `data:` URL that is none. */
export async function bytesOf(
  { data }: InlineMedia,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof data !== 'string') return data;
  if (data.startsWith('data:')) return decodeDataUrl(data);
  const response = await fetch(data, { signal });
  return new Uint8Array(await response.arrayBuffer());
}

function sizeOfDataUrl(url: string): number {
  const payload = url.length - url.indexOf(',') - 1;
  return isBase64(url) ? (payload * 3) / 4 : payload;
}

function isBase64(url: string): boolean {
  return /;\s*base64\s*$/i.test(url.slice(0, Math.max(0, url.indexOf(','))));
}

/** Without `fetch`, which a content security policy would have to allow (https://fetch.spec.whatwg.org/#data-urls). */
function decodeDataUrl(url: string): Uint8Array<ArrayBuffer> {
  const comma = url.indexOf(',');
  if (comma < 0) throw new TypeError('a data: URL without a comma');
  const payload = url.slice(comma + 1);
  if (!isBase64(url)) {
    // Characters beyond ASCII stand for their UTF-8 bytes, escapes for the bytes they name.
    const bytes = new TextEncoder().encode(payload);
    return unescapeBytes(bytes);
  }
  const binary = atob(decodeURIComponent(payload));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function unescapeBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const output = new Uint8Array(bytes.length);
  let length = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    let byte = bytes[index] ?? 0;
    const code = String.fromCharCode(bytes[index + 1] ?? 0, bytes[index + 2] ?? 0);
    if (byte === 0x25 && /^[\da-f]{2}$/i.test(code)) {
      byte = Number.parseInt(code, 16);
      index += 2;
    }
    output[length] = byte;
    length += 1;
  }
  return output.slice(0, length);
}
