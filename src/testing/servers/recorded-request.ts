/** What a protocol server keeps of a request, and what it holds against it. */
import type { IncomingMessage } from 'node:http';

/** One request as it came. */
export interface RecordedRequest {
  readonly method: string;
  /** Without the query string. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Parsed JSON; form fields (a file as the `File` it is) of a multipart body; undefined for an empty one. */
  readonly body: unknown;
  /** How it ended: `cut` when the client left, or a fault closed the socket, before the reply was complete. */
  readonly ended: Promise<'complete' | 'cut'>;
}

/** A breach of the protocol by the client, and what the vendor would answer to it. */
export interface Violation {
  /** What is wrong, for whoever reads the failing test. */
  readonly message: string;
  readonly status: number;
  /** Body in the vendor's shape of an error. */
  readonly body: unknown;
}

/** The headers of a message, one value each. */
export function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
  );
}

/** Reads the whole body of a request. */
export async function bytesOf(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Uint8Array.from(Buffer.concat(chunks));
}

/** The body by its content type; text that is not JSON stays text. */
export async function bodyOf(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<unknown> {
  if (bytes.length === 0) return undefined;
  if (type.startsWith('multipart/form-data')) {
    const form = await new Response(bytes, { headers: { 'content-type': type } }).formData();
    return Object.fromEntries(form.entries());
  }
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
