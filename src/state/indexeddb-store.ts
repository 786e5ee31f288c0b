/**
 * Conversations in IndexedDB, through idb-keyval. One record per message, so an append costs the same
 * however long the conversation is; every change is one transaction, and the browser runs transactions
 * of all tabs on one database one after the other, so two tabs lose nothing of each other.
 *
 * Keys: `['info', conversation]` · `['message', conversation, place]` · `['place', conversation, message id]`
 * → place · `['value', conversation, name]` · `['schema']` → {@link schemaVersion}.
 */
import { createStore, type UseStore } from 'idb-keyval';
import type { Message } from '../core/element.ts';
import { AntiphonError } from '../core/errors.ts';
import { conversationTitle } from './conversation-title.ts';
import { below, read, readAll, transactions, type Transact } from './idb-transactions.ts';
import type { ConversationInfo, StateStore } from './state-store.ts';

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
  const inTransaction = transactions(
    () => options.store ?? createStore(options.name ?? 'antiphon', 'conversations'),
  );
  const transact: Transact = (mode, doing, work) =>
    inTransaction(mode, doing, async (objects) => {
      await checkSchema(objects);
      return work(objects);
    });

  return {
    load: (id) =>
      transact('readonly', 'load the conversation', (objects) =>
        readAll<Message>(objects, below('message', id)),
      ),
    async append(id, messages) {
      if (messages.length === 0) return;
      await transact('readwrite', 'store the conversation', (objects) =>
        appendTo(objects, id, messages),
      );
    },
    async list() {
      const infos = await transact('readonly', 'list conversations', (objects) =>
        readAll<StoredInfo>(objects, below('info')),
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
