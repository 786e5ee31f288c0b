/**
 * Media in IndexedDB, through idb-keyval, in a database apart from the conversations.
 * Keys: `['info', digest]` → what is known of it · `['data', digest]` → its bytes · `['total']` → how many bytes
 * all of them are.
 */
import { createStore, type UseStore } from 'idb-keyval';
import { below, read, readAll, transactions } from './idb-transactions.ts';
import { lockedAs, quotaLeft, type MediaRecord, type MediaShelf } from './media-shelf.ts';
import type { MediaStore, MediaStoreOptions } from './media-store.ts';
import { mediaHints, ShelvedMediaStore } from './shelved-media-store.ts';

/** What {@link indexedDBMediaStore} may be told. */
export interface IndexedDBMediaStoreOptions extends MediaStoreOptions {
  /** Database name, `antiphon-media` unless given. */
  readonly name?: string;
  /** An idb-keyval store to use instead of a database of our own; `name` still names its lock. */
  readonly store?: UseStore;
}

/** Has the total say that the content of `digest` takes so many bytes from now on. */
async function count(objects: IDBObjectStore, digest: string, byteLength: number): Promise<void> {
  const known = await read<MediaRecord>(objects, ['info', digest]);
  const total = (await read<number>(objects, ['total'])) ?? 0;
  objects.put(total + byteLength - (known?.byteLength ?? 0), ['total']);
}

/** A {@link MediaStore} that survives reloads and works in pages and workers. Nothing is opened before the first call. */
export function indexedDBMediaStore(options: IndexedDBMediaStoreOptions = {}): MediaStore {
  const { name = 'antiphon-media' } = options;
  const transact = transactions(() => options.store ?? createStore(name, 'media'), mediaHints);
  const shelf: MediaShelf = {
    exclusively: lockedAs(`${name} (IndexedDB)`),
    record: (digest) =>
      transact('readonly', 'look up the media', (objects) =>
        read<MediaRecord>(objects, ['info', digest]),
      ),
    records: () =>
      transact('readonly', 'list the media', (objects) =>
        readAll<MediaRecord>(objects, below('info')),
      ),
    total: () =>
      transact(
        'readonly',
        'measure the media',
        async (objects) => (await read<number>(objects, ['total'])) ?? 0,
      ),
    read: (digest) =>
      transact('readonly', 'read the media', (objects) =>
        read<Uint8Array<ArrayBuffer>>(objects, ['data', digest]),
      ),
    write: (record, data) =>
      transact('readwrite', 'store the media', async (objects) => {
        await count(objects, record.digest, data.byteLength);
        objects.put(data, ['data', record.digest]);
        objects.put(record, ['info', record.digest]);
      }),
    note: (record) =>
      transact('readwrite', 'note a use of the media', async (objects) => {
        objects.put(record, ['info', record.digest]);
      }),
    remove: (digests) =>
      transact('readwrite', 'delete the media', async (objects) => {
        for (const digest of digests) {
          await count(objects, digest, 0);
          objects.delete(['info', digest]);
          objects.delete(['data', digest]);
        }
      }),
    available: quotaLeft,
  };
  return new ShelvedMediaStore(shelf, options);
}
