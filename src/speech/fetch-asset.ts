/** Downloads a model file whole, with byte progress, and refuses what is not the file (an error page, an empty body). */
import { AntiphonError, toAntiphonError } from '../core/errors.ts';
import type { OnProgress } from './stt/recognizer.ts';

/** Where a model comes from: an address to fetch, or the bytes themselves (Node, tests, a page with its own cache). */
export type AssetSource = string | URL | Uint8Array<ArrayBuffer>;

/** How to fetch an asset. */
export interface FetchAssetOptions {
  /** Told about every chunk; `total` stays 0 when the server does not say, or says it of a compressed body. */
  readonly onProgress?: OnProgress;
  /** Aborts the download. */
  readonly signal?: AbortSignal;
  /** The name progress and errors use; the last part of the address unless given. */
  readonly name?: string;
}

const hint =
  'Serve the file at this address with CORS if it is another origin, or pass the right address in the options.';

/**
 * The bytes at `source`. Bytes given are returned as they are, and stay the caller's.
 * Errors: `model-load` when the address can't be reached, answers an error status, HTML or nothing;
 * `aborted` when `signal` aborts.
 */
export async function fetchAsset(
  source: AssetSource,
  options: FetchAssetOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const name = options.name ?? assetName(source);
  if (source instanceof Uint8Array) {
    options.onProgress?.({ asset: name, loaded: source.length, total: source.length });
    return source;
  }
  const url = String(source);
  const fail = (what: string, retryable: boolean, cause?: unknown): AntiphonError =>
    new AntiphonError('model-load', `${name}: ${what} (${url})`, {
      hint,
      retryable,
      details: { url },
      cause,
    });
  const { onProgress, signal } = options;
  try {
    const response = await fetch(url, signal === undefined ? {} : { signal });
    if (!response.ok) {
      await response.body?.cancel();
      throw fail(`the server answered ${response.status}`, response.status >= 500);
    }
    const bytes = await readBody(response, (loaded, total) =>
      onProgress?.({ asset: name, loaded, total }),
    );
    if (bytes.length === 0) throw fail('the file is empty', true);
    if (looksLikeHtml(bytes))
      throw fail('the server answered a web page instead of the file', false);
    return bytes;
  } catch (error) {
    if (AntiphonError.is(error)) throw error;
    if (signal?.aborted === true) throw toAntiphonError(signal.reason, 'aborted');
    throw fail('the download failed', true, error);
  }
}

/** What progress and errors call an asset: the last part of its address without the query. */
export function assetName(source: AssetSource): string {
  if (source instanceof Uint8Array) return 'model';
  return (
    String(source)
      .replace(/[?#].*$/, '')
      .split('/')
      .at(-1) ?? 'model'
  );
}

/** Reads by a reader, because WebKit's streams can't be iterated. */
async function readBody(
  response: Response,
  onBytes: (loaded: number, total: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = response.headers.get('content-encoding') ?? 'identity';
  const length = Number(response.headers.get('content-length') ?? 0);
  const total = encoding === 'identity' && Number.isFinite(length) ? length : 0;
  const reader = response.body?.getReader();
  if (reader === undefined) return new Uint8Array(await response.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    loaded += value.length;
    onBytes(loaded, total);
  }
  const bytes = new Uint8Array(loaded);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** A development server's fallback answers 200 with its index page: the content type may even be missing. */
function looksLikeHtml(bytes: Uint8Array): boolean {
  const start = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart().toLowerCase();
  return start.startsWith('<!doctype') || start.startsWith('<html') || start.startsWith('<?xml');
}
