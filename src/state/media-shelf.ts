/** What a media store puts its contents on: the part that differs between memory, IndexedDB and files. */

/** What a shelf knows of one content. */
export interface MediaRecord {
  readonly digest: string;
  readonly byteLength: number;
  /** Unix time in ms. */
  readonly putAtMs: number;
  /** Unix time in ms. */
  readonly usedAtMs: number;
}

/** Contents by digest. Knows no policy; its errors are those of the browser. */
export interface MediaShelf {
  /** Does `work` while nobody else, in this tab or another, does something exclusively on this shelf. */
  exclusively<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  record(digest: string): Promise<MediaRecord | undefined>;
  records(): Promise<MediaRecord[]>;
  /** How many bytes all contents take; costs the same however many they are. */
  total(): Promise<number>;
  read(digest: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Keeps content, all of it or nothing; what is there of the same digest is replaced. */
  write(record: MediaRecord, data: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Changes what is known of a content that is here. */
  note(record: MediaRecord): Promise<void>;
  /** Removes contents, those that are here, together. */
  remove(digests: readonly string[]): Promise<void>;
  /** Bytes that the browser would still give. */
  available(): Promise<number>;
}

/** Does one thing after the other within this realm. */
export function oneByOne(): MediaShelf['exclusively'] {
  let last: Promise<unknown> = Promise.resolve();
  return (work, signal) => {
    const result = last.then(() => {
      signal?.throwIfAborted();
      return work();
    });
    last = result.catch(() => undefined);
    return result;
  };
}

/** Does one thing after the other in all tabs of this origin, by a Web Lock (https://w3c.github.io/web-locks/). */
export function lockedAs(name: string): MediaShelf['exclusively'] {
  return (work, signal) =>
    navigator.locks.request(name, signal === undefined ? {} : { signal }, work);
}

/** What `navigator.storage` says is left of this origin's quota; without an estimate there is no bound. */
export async function quotaLeft(): Promise<number> {
  const { quota, usage } = (await navigator.storage?.estimate?.()) ?? {};
  return quota === undefined || usage === undefined ? Infinity : quota - usage;
}

/** How many bytes `records` take together. */
export function sizeOf(records: readonly MediaRecord[]): number {
  return records.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
