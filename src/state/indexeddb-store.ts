/**
 * Conversations in IndexedDB, through idb-keyval. One record per message, so an append costs the same
 * however long the conversation is; every change is one transaction, and the browser runs transactions
 * of all tabs on one database one after the other, so two tabs lose nothing of each other.
 *
 * Keys: `['info', conversation]` · `['message', conversation, place]` · `['place', conversation, message id]`
 * → place · `['value', conversation, name]` · `['schema']` → {@link schemaVersion}.
 */
import { createStore, promisifyRequest, type UseStore } from 'idb-keyval';
import type { Message } from '../core/element.ts';
import { AntiphonError } from '../core/errors.ts';
import { conversationTitle } from './conversation-title.ts';
import type { ConversationInfo, StateStore } from './state-store.ts';
import { storageError } from './storage-error.ts';

/** Version of the layout above. */
const schemaVersion = 1;

/** What {@link indexedDBStore} may be told. */
export interface IndexedDBStoreOptions {
  /** Database name, `antiphon` unless given. */
  readonly name?: string;
  /** An idb-keyval store to use instead of a database of our own. */
  readonly store?: UseStore;
}

interface StoredInfo extends ConversationInfo {
  /** Where the next message goes; never reused. */
  readonly nextPlace: number;
}

const kinds = ['message', 'place', 'value'] as const;

/** Every key that begins with `prefix`: arrays sort after numbers and strings. */
function below(...prefix: string[]): IDBKeyRange {
  return IDBKeyRange.bound(prefix, [...prefix, []]);
}

async function read<T>(objects: IDBObjectStore, key: IDBValidKey): Promise<T | undefined> {
  return promisifyRequest<T | undefined>(objects.get(key) as IDBRequest<T | undefined>);
}

async function checkSchema(objects: IDBObjectStore): Promise<void> {
  const found = await read<number>(objects, ['schema']);
  if (found !== undefined && found > schemaVersion)
    throw new AntiphonError(
      'storage',
      'A newer version of this page has stored these conversations.',
      {
        hint: 'Reload the page to get that version.',
        details: { found, known: schemaVersion },
      },
    );
  if (found === undefined && objects.transaction.mode === 'readwrite')
    objects.put(schemaVersion, ['schema']);
}

async function appendTo(
  objects: IDBObjectStore,
  id: string,
  messages: readonly Message[],
): Promise<void> {
  const now = Date.now();
  const info = await read<StoredInfo>(objects, ['info', id]);
  let place = info?.nextPlace ?? 0;
  let added = 0;
  for (const message of messages) {
    const known = await read<number>(objects, ['place', id, message.id]);
    if (known === undefined) {
      objects.put(place, ['place', id, message.id]);
      added += 1;
    }
    objects.put(message, ['message', id, known ?? place]);
    if (known === undefined) place += 1;
  }
  const title = info?.title ?? '';
  const next: StoredInfo = {
    id,
    title: title === '' ? conversationTitle(messages) : title,
    createdAt: info?.createdAt ?? now,
    updatedAt: now,
    messageCount: (info?.messageCount ?? 0) + added,
    nextPlace: place,
  };
  objects.put(next, ['info', id]);
}

/**
 * A {@link StateStore} that survives reloads. Nothing is opened before the first call.
 *
 * @throws from its methods: `storage-blocked` where the browser denies storage, `storage-full` when there
 * is no room, `storage` otherwise; a failed append stored nothing.
 */
export function indexedDBStore(options: IndexedDBStoreOptions = {}): StateStore {
  const connect = (): UseStore =>
    options.store ?? createStore(options.name ?? 'antiphon', 'conversations');
  let store = connect();

  async function transact<T>(
    mode: IDBTransactionMode,
    doing: string,
    work: (objects: IDBObjectStore) => Promise<T>,
  ): Promise<T> {
    const once = (): Promise<T> =>
      store(mode, async (objects) => {
        const done = promisifyRequest(objects.transaction);
        try {
          await checkSchema(objects);
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
    try {
      return await once().catch((error: unknown) => {
        // Safari may close an idle connection without the event idb-keyval listens for; open a new one, once.
        if (!(error instanceof DOMException) || error.name !== 'InvalidStateError') throw error;
        store = connect();
        return once();
      });
    } catch (error) {
      throw storageError(error, doing);
    }
  }

  return {
    load: (id) =>
      transact('readonly', 'load the conversation', async (objects) =>
        promisifyRequest(objects.getAll(below('message', id)) as IDBRequest<Message[]>),
      ),
    async append(id, messages) {
      if (messages.length === 0) return;
      await transact('readwrite', 'store the conversation', (objects) =>
        appendTo(objects, id, messages),
      );
    },
    async list() {
      const infos = await transact('readonly', 'list conversations', async (objects) =>
        promisifyRequest(objects.getAll(below('info')) as IDBRequest<StoredInfo[]>),
      );
      return infos
        .sort((a, b) => b.updatedAt - a.updatedAt)
        .map(({ title, createdAt, updatedAt, messageCount, ...info }): ConversationInfo => ({
          id: info.id,
          title,
          createdAt,
          updatedAt,
          messageCount,
        }));
    },
    delete: (id) =>
      transact('readwrite', 'delete the conversation', async (objects) => {
        for (const kind of kinds) objects.delete(below(kind, id));
        objects.delete(['info', id]);
      }),
    getValue: (id, key) =>
      transact('readonly', 'read a value', (objects) => read<unknown>(objects, ['value', id, key])),
    setValue: (id, key, value) =>
      transact('readwrite', 'store a value', async (objects) => {
        objects.put(value, ['value', id, key]);
      }),
  };
}
