/**
 * Media as files of the Origin Private File System (https://fs.spec.whatwg.org/), in one folder: a file by its
 * digest for each content, and beside it `<digest>.times` with when it was put and used.
 */
import { AntiphonError } from '../core/errors.ts';
import { lockedAs, quotaLeft, type MediaRecord, type MediaShelf } from './media-shelf.ts';
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

const timesSuffix = '.times';

/**
 * A {@link MediaStore} for much and large media: unlike IndexedDB it reads and writes files as such. Works in
 * pages and workers; on a page of Safari before 26, which writes such files in workers only, `put` throws
 * `unsupported`.
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
  const recordOf = async (digest: string): Promise<MediaRecord | undefined> => {
    const content = await file(digest);
    if (!content) return undefined;
    const { size: byteLength, lastModified } = content;
    const times = await timesIn(await file(digest + timesSuffix));
    return { digest, byteLength, putAtMs: lastModified, usedAtMs: lastModified, ...times };
  };
  const note = ({ digest, putAtMs, usedAtMs }: MediaRecord): Promise<void> =>
    write(digest + timesSuffix, new TextEncoder().encode(JSON.stringify({ putAtMs, usedAtMs })));

  const shelf: MediaShelf = {
    exclusively: lockedAs(`${name} (OPFS)`),
    record: recordOf,
    async records() {
      const digests: string[] = [];
      for await (const path of (await folder()).keys())
        if (/^[\w-]{43}$/.test(path)) digests.push(path);
      const records = await Promise.all(digests.map(recordOf));
      return records.filter((record) => record !== undefined);
    },
    async read(digest) {
      const content = await file(digest);
      return content && new Uint8Array(await content.arrayBuffer());
    },
    async write(record, data) {
      await write(record.digest, data);
      await note(record);
    },
    note,
    async remove(digest) {
      await remove(digest);
      await remove(digest + timesSuffix);
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

async function timesIn(
  file: File | undefined,
): Promise<Partial<Pick<MediaRecord, 'putAtMs' | 'usedAtMs'>>> {
  try {
    const { putAtMs, usedAtMs } = JSON.parse((await file?.text()) ?? '{}') as MediaRecord;
    return Number.isFinite(putAtMs) && Number.isFinite(usedAtMs) ? { putAtMs, usedAtMs } : {};
  } catch {
    // Cut off, or being replaced: the file's own date will do.
    return {};
  }
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof DOMException) || error.name !== 'NotFoundError') throw error;
  return undefined;
}
