/**
 * Media as files of the Origin Private File System (https://fs.spec.whatwg.org/), in one folder: a file by its
 * digest for each content, and `index.json` with what is known of all of them. A content counts as here once the
 * index says so; a file that it does not name was left by a crash, and goes with the next sweep.
 */
import { AntiphonError } from '../core/errors.ts';
import { lockedAs, quotaLeft, sizeOf, type MediaRecord, type MediaShelf } from './media-shelf.ts';
import type { MediaStore, MediaStoreOptions } from './media-store.ts';
import { ShelvedMediaStore } from './shelved-media-store.ts';

/** What {@link opfsMediaStore} may be told. */
export interface OpfsMediaStoreOptions extends MediaStoreOptions {
  /** Name of the folder, `antiphon-media` unless given. */
  readonly name?: string;
}

/** A file open for writing in place; workers only. */
interface SyncAccess {
  truncate(size: number): void;
  write(data: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  flush(): void;
  close(): void;
}

type FileHandle = FileSystemFileHandle & { createSyncAccessHandle?(): Promise<SyncAccess> };

const indexFile = 'index.json';

/**
 * A {@link MediaStore} whose contents are files, apart from every database. Works in pages and workers; on a page of
 * Safari before 26, which writes such files in workers only, `put` throws `unsupported`. In Chromium it is not faster
 * than `indexedDBMediaStore`: of 20 MB it reads as fast and writes half as fast, of 100 kB it writes five times slower.
 */
export function opfsMediaStore(options: OpfsMediaStoreOptions = {}): MediaStore {
  const { name = 'antiphon-media' } = options;
  const folder = async (): Promise<FileSystemDirectoryHandle> => {
    const storage = navigator.storage as StorageManager | undefined;
    if (typeof storage?.getDirectory !== 'function')
      throw new AntiphonError('storage-blocked', 'This page has no private file system.', {
        hint: 'Serve it over https, or use indexedDBMediaStore().',
      });
    return (await storage.getDirectory()).getDirectoryHandle(name, { create: true });
  };
  const file = async (path: string): Promise<File | undefined> => {
    try {
      return await (await (await folder()).getFileHandle(path)).getFile();
    } catch (error) {
      return ignoreMissing(error);
    }
  };
  const write = async (path: string, data: Uint8Array<ArrayBuffer>): Promise<void> => {
    const directory = await folder();
    const isNew = (await file(path)) === undefined;
    try {
      await writeTo(await directory.getFileHandle(path, { create: true }), data);
    } catch (error) {
      if (isNew) await directory.removeEntry(path).catch(() => undefined);
      throw error;
    }
  };
  const remove = async (path: string): Promise<void> => {
    try {
      await (await folder()).removeEntry(path);
    } catch (error) {
      ignoreMissing(error);
    }
  };
  const paths = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const path of (await folder()).keys()) if (path !== indexFile) found.push(path);
    return found;
  };
  const index = async (): Promise<MediaRecord[]> => {
    const text = await (await file(indexFile))?.text();
    if (text === undefined) return [];
    try {
      return JSON.parse(text) as MediaRecord[];
    } catch {
      // A write in place was cut off: what the files tell will do.
      const files = await Promise.all((await paths()).map(async (path) => file(path)));
      return files.flatMap((content) => (content ? recordOf(content) : []));
    }
  };
  const writeIndex = (records: readonly MediaRecord[]): Promise<void> =>
    write(indexFile, new TextEncoder().encode(JSON.stringify(records)));
  const note = async (record: MediaRecord): Promise<void> => {
    const others = (await index()).filter(({ digest }) => digest !== record.digest);
    await writeIndex([...others, record]);
  };

  const shelf: MediaShelf = {
    exclusively: lockedAs(`${name} (OPFS)`),
    record: async (digest) => (await index()).find((record) => record.digest === digest),
    records: index,
    total: async () => sizeOf(await index()),
    async read(digest) {
      const content = await file(digest);
      return content && new Uint8Array(await content.arrayBuffer());
    },
    async write(record, data) {
      await write(record.digest, data);
      await note(record);
    },
    note,
    async remove(digests) {
      const kept = (await index()).filter(({ digest }) => !digests.includes(digest));
      await writeIndex(kept);
      const named = new Set(kept.map(({ digest }) => digest));
      for (const path of await paths()) if (!named.has(path)) await remove(path);
    },
    available: quotaLeft,
  };
  return new ShelvedMediaStore(shelf, options);
}

/** Replaces what is in the file: at once where the browser can, else in place, which a crash may cut off. */
async function writeTo(handle: FileHandle, data: Uint8Array<ArrayBuffer>): Promise<void> {
  if (typeof handle.createWritable === 'function') {
    const writable = await handle.createWritable();
    try {
      await writable.write(data);
    } catch (error) {
      await writable.abort().catch(() => undefined);
      throw error;
    }
    await writable.close();
    return;
  }
  const access = await handle.createSyncAccessHandle?.();
  if (!access)
    throw new AntiphonError('unsupported', 'This browser writes private files in workers only.', {
      hint: 'Use indexedDBMediaStore(), or run the stage in a worker.',
    });
  try {
    access.truncate(0);
    const written = access.write(data, { at: 0 });
    if (written < data.byteLength)
      throw new DOMException('The file could not be written to its end.', 'QuotaExceededError');
    access.flush();
  } finally {
    access.close();
  }
}

function recordOf({ name, size, lastModified }: File): MediaRecord {
  return { digest: name, byteLength: size, putAtMs: lastModified, usedAtMs: lastModified };
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof DOMException) || error.name !== 'NotFoundError') throw error;
  return undefined;
}
