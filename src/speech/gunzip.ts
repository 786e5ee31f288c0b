/** Unpacks gzip with the platform's own decompressor. */
import { AntiphonError } from '../core/errors.ts';

/**
 * The contents of a gzip file; bytes that are none are returned as they are, because a server may have unpacked
 * them. `name` is what an error calls the file.
 * Errors: `model-load` when the file is damaged.
 */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(unpacked).arrayBuffer());
  } catch (error) {
    throw new AntiphonError('model-load', `${name} is damaged: it can't be unpacked`, {
      hint: 'Fetch the file again, and check that the server sends it whole and unchanged.',
      retryable: true,
      cause: error,
    });
  }
}
