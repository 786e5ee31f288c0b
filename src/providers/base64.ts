/** Bytes as base64 and back: how every wire format of JSON carries them. */

/** Characters of one `String.fromCharCode` call; more arguments overflow the stack of some engines. */
const sliceLength = 8192;

/** The bytes as standard base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let start = 0; start < bytes.length; start += sliceLength)
    pieces.push(String.fromCharCode(...bytes.subarray(start, start + sliceLength)));
  return btoa(pieces.join(''));
}

/** The bytes of standard base64. Throws a `DOMException` when the text is none. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
