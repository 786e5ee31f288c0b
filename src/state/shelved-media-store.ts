/** The rules of a media store, whatever it keeps its contents on: one of each, checked, within bounds. */
import { AntiphonError, toAntiphonError } from '../core/errors.ts';
import { digestOf, mediaReference, parseMediaReference } from './media-reference.ts';
import { sizeOf, type MediaRecord, type MediaShelf } from './media-shelf.ts';
import type { MediaStore, MediaStoreOptions, StoredMedia, SweptMedia } from './media-store.ts';
import { storageError, type StorageHints } from './storage-error.ts';

/** What to do about trouble with media. */
export const mediaHints: StorageHints = {
  'storage-blocked':
    'This page may not store anything (private window, blocked site data): media stays inside its messages. Use memoryMediaStore() to say so on purpose.',
  'storage-full':
    'There is no room left: delete conversations and sweep(), raise maxBytes, or give the store `references` so that it may evict.',
};

/** A later read within this time is not noted: notes cost a write. */
const noteEveryMs = 60_000;
/** Notes that are remembered. */
const maxNoted = 1000;

/** A {@link MediaStore} on a shelf. */
export class ShelvedMediaStore implements MediaStore {
  readonly #shelf: MediaShelf;
  readonly #options: MediaStoreOptions;
  /** Uses noted by this store, so that reading the same again asks for nothing; digest → Unix time in ms. */
  readonly #noted = new Map<string, number>();

  /** @throws `invalid-argument` when a bound makes no sense. */
  constructor(shelf: MediaShelf, options: MediaStoreOptions = {}) {
    this.#shelf = shelf;
    this.#options = options;
    for (const name of ['maxBytes', 'headroomBytes', 'graceMs'] as const)
      if (!((options[name] ?? 0) >= 0))
        throw new AntiphonError('invalid-argument', `media store: ${name} is ${options[name]}`, {
          hint: 'Give a number of 0 or more.',
        });
  }

  put: MediaStore['put'] = (data, mediaType, { signal } = {}) =>
    typed('store the media', signal, async () => {
      signal?.throwIfAborted();
      const digest = await digestOf(data);
      const stored = await this.#shelf.exclusively(() => this.#store(digest, data), signal);
      if (!stored) {
        const kept = digestsIn((await this.#options.references?.()) ?? []);
        await this.#shelf.exclusively(() => this.#store(digest, data, kept), signal);
      }
      return mediaReference(digest, mediaType);
    });

  get: MediaStore['get'] = (reference) =>
    typed('read the media', undefined, async () => {
      const digest = digestIn(reference);
      const data = await this.#shelf.read(digest);
      if (!data) return undefined;
      if ((await digestOf(data)) !== digest) throw await this.#damaged(digest);
      this.#noteUse(digest).catch(() => undefined);
      return data;
    });

  delete: MediaStore['delete'] = (reference) =>
    typed('delete the media', undefined, async () => {
      const digest = digestIn(reference);
      await this.#shelf.exclusively(() => this.#shelf.remove([digest]));
    });

  list: MediaStore['list'] = () =>
    typed('list the media', undefined, async () => {
      const records = await this.#shelf.records();
      return records.sort(byUse).map(({ digest, byteLength, putAtMs, usedAtMs }): StoredMedia => ({
        reference: mediaReference(digest),
        byteLength,
        putAtMs,
        usedAtMs,
      }));
    });

  sweep: MediaStore['sweep'] = (referenced, { graceMs } = {}) =>
    typed('remove unused media', undefined, async () => {
      const kept = digestsIn(referenced);
      return this.#shelf.exclusively(async () =>
        this.#remove(this.#removable(await this.#shelf.records(), kept, graceMs)),
      );
    });

  /** Keeps the content; false when there is no room and it is not known yet what may be evicted. */
  async #store(
    digest: string,
    data: Uint8Array<ArrayBuffer>,
    kept?: ReadonlySet<string>,
  ): Promise<boolean> {
    const shelf = this.#shelf;
    const { byteLength } = data;
    const now = Date.now();
    const record: MediaRecord = { digest, byteLength, putAtMs: now, usedAtMs: now };
    const known = await shelf.record(digest);
    // One of another length is the rest of a write that was cut off.
    if (known?.byteLength === byteLength) {
      await shelf.note(record);
      return true;
    }
    const others = (await shelf.total()) - (known?.byteLength ?? 0);
    const removable = kept ? this.#removable(await shelf.records(), kept) : [];
    let missing = await this.#missing(others, byteLength);
    for (;;) {
      if (missing > 0) {
        if (!kept && this.#options.references) return false;
        await this.#remove(enough(removable, missing, byteLength));
      }
      try {
        await shelf.write(record, data);
        return true;
      } catch (error) {
        const mayEvict = kept ? removable.length > 0 : this.#options.references !== undefined;
        if (storageError(error, '').code !== 'storage-full' || !mayEvict) throw error;
        // The browser does not say by how much it is too full.
        missing = Math.min(byteLength, sizeOf(removable)) || byteLength;
      }
    }
  }

  /** How many bytes too few there are for `byteLength` besides the `others`. */
  async #missing(others: number, byteLength: number): Promise<number> {
    const { maxBytes = 512 * 2 ** 20, headroomBytes = 10 * 2 ** 20 } = this.#options;
    const left = Math.min(maxBytes - others, (await this.#shelf.available()) - headroomBytes);
    return Math.max(0, byteLength - left);
  }

  /** What may go, least recently used first. */
  #removable(
    records: readonly MediaRecord[],
    kept: ReadonlySet<string>,
    graceMs: number = this.#options.graceMs ?? 600_000,
  ): MediaRecord[] {
    const putBefore = Date.now() - graceMs;
    return records
      .filter(({ digest, putAtMs }) => !kept.has(digest) && putAtMs <= putBefore)
      .sort(byUse);
  }

  async #remove(records: readonly MediaRecord[]): Promise<SweptMedia> {
    if (records.length > 0) await this.#shelf.remove(records.map(({ digest }) => digest));
    return { count: records.length, bytes: sizeOf(records) };
  }

  async #noteUse(digest: string): Promise<void> {
    const usedAtMs = Date.now();
    if (usedAtMs - (this.#noted.get(digest) ?? -Infinity) < noteEveryMs) return;
    if (this.#noted.size >= maxNoted) this.#noted.clear();
    this.#noted.set(digest, usedAtMs);
    await this.#shelf.exclusively(async () => {
      const record = await this.#shelf.record(digest);
      if (record && usedAtMs - record.usedAtMs >= noteEveryMs)
        await this.#shelf.note({ ...record, usedAtMs });
    });
  }

  /** Removes what is still not what was put. */
  async #damaged(digest: string): Promise<AntiphonError> {
    await this.#shelf.exclusively(async () => {
      const data = await this.#shelf.read(digest);
      if (data && (await digestOf(data)) !== digest) await this.#shelf.remove([digest]);
    });
    return new AntiphonError('storage', 'The stored media is damaged and was removed.', {
      hint: 'Put it again where it came from; it cannot be restored from here.',
      details: { reference: mediaReference(digest) },
    });
  }
}

function byUse(a: MediaRecord, b: MediaRecord): number {
  return a.usedAtMs - b.usedAtMs;
}

/** Takes from the front of `removable` until `missing` bytes are together; throws when there are not so many. */
function enough(removable: MediaRecord[], missing: number, byteLength: number): MediaRecord[] {
  if (sizeOf(removable) < missing)
    throw new AntiphonError('storage-full', `No room for ${byteLength} bytes of media.`, {
      hint: mediaHints['storage-full'] ?? '',
      retryable: true,
      details: { byteLength, missing },
    });
  const taken: MediaRecord[] = [];
  while (sizeOf(taken) < missing) taken.push(...removable.splice(0, 1));
  return taken;
}

function digestIn(reference: string): string {
  const name = parseMediaReference(reference);
  if (!name)
    throw new AntiphonError('invalid-argument', `No reference to media: ${reference}`, {
      hint: 'Give what put() gave.',
    });
  return name.digest;
}

function digestsIn(references: Iterable<string>): Set<string> {
  return new Set([...references].flatMap((each) => parseMediaReference(each)?.digest ?? []));
}

async function typed<T>(
  doing: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted) throw toAntiphonError(signal.reason, 'aborted');
    throw storageError(error, doing, mediaHints);
  }
}
