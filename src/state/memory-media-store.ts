/** Media in memory: for tests, for Node, and where nothing may be kept. */
import { oneByOne, type MediaRecord, type MediaShelf } from './media-shelf.ts';
import type { MediaStore, MediaStoreOptions } from './media-store.ts';
import { ShelvedMediaStore } from './shelved-media-store.ts';

/** A {@link MediaStore} that forgets everything with the page. What goes in and out is copied. */
export function memoryMediaStore(options: MediaStoreOptions = {}): MediaStore {
  const contents = new Map<string, { record: MediaRecord; data: Uint8Array<ArrayBuffer> }>();
  let total = 0;
  const remove = (digest: string): void => {
    total -= contents.get(digest)?.record.byteLength ?? 0;
    contents.delete(digest);
  };
  const shelf: MediaShelf = {
    exclusively: oneByOne(),
    record: async (digest) => contents.get(digest)?.record,
    records: async () => [...contents.values()].map(({ record }) => record),
    total: async () => total,
    read: async (digest) => contents.get(digest)?.data.slice(),
    async write(record, data) {
      remove(record.digest);
      contents.set(record.digest, { record, data: data.slice() });
      total += record.byteLength;
    },
    async note(record) {
      const content = contents.get(record.digest);
      if (content) content.record = record;
    },
    remove: async (digests) => digests.forEach(remove),
    available: async () => Infinity,
  };
  return new ShelvedMediaStore(shelf, options);
}
