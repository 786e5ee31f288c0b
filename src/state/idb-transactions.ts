/** Transactions on one IndexedDB object store, through idb-keyval: all of one happens or nothing does. */
import { promisifyRequest, type UseStore } from 'idb-keyval';
import { storageError, type StorageHints } from './storage-error.ts';

/** Does `work` in one transaction; `doing` says in an error what was attempted. */
export type Transact = <T>(
  mode: IDBTransactionMode,
  doing: string,
  work: (objects: IDBObjectStore) => Promise<T>,
) => Promise<T>;

/** Every key that begins with `prefix`: arrays sort after numbers and strings. */
export function below(...prefix: string[]): IDBKeyRange {
  return IDBKeyRange.bound(prefix, [...prefix, []]);
}

/** The value of a key; undefined when there is none. */
export async function read<T>(objects: IDBObjectStore, key: IDBValidKey): Promise<T | undefined> {
  return promisifyRequest<T | undefined>(objects.get(key) as IDBRequest<T | undefined>);
}

/** The values of all keys in `range`, in their order. */
export async function readAll<T>(objects: IDBObjectStore, range: IDBKeyRange): Promise<T[]> {
  return promisifyRequest(objects.getAll(range) as IDBRequest<T[]>);
}

/**
 * Transactions on what `connect` opens, which happens at the first one. Failures are typed by
 * `storageError`, with `hints` for what to do.
 */
export function transactions(connect: () => UseStore, hints?: StorageHints): Transact {
  let store: UseStore | undefined;
  return async (mode, doing, work) => {
    const once = (): ReturnType<typeof work> => {
      store ??= connect();
      return store(mode, async (objects) => {
        const done = promisifyRequest(objects.transaction);
        try {
          const result = await work(objects);
          await done;
          return result;
        } catch (error) {
          done.catch(() => undefined);
          try {
            objects.transaction.abort();
          } catch {
            // It has ended already, by the same error.
          }
          throw objects.transaction.error ?? error;
        }
      });
    };
    try {
      return await once().catch((error: unknown) => {
        // Safari may close an idle connection without the event idb-keyval listens for; open a new one, once.
        if (!(error instanceof DOMException) || error.name !== 'InvalidStateError') throw error;
        store = undefined;
        return once();
      });
    } catch (error) {
      throw storageError(error, doing, hints);
    }
  };
}
