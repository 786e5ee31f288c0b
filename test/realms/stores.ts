/** Stores that a page and its workers share by name; in Node, where there are neither, in memory. */
import { indexedDBMediaStore } from '../../src/state/indexeddb-media-store.ts';
import { indexedDBStore } from '../../src/state/indexeddb-store.ts';
import type { MediaStore } from '../../src/state/media-store.ts';
import { memoryMediaStore } from '../../src/state/memory-media-store.ts';
import { memoryStore } from '../../src/state/memory-store.ts';
import type { StateStore } from '../../src/state/state-store.ts';

const isBrowser = 'indexedDB' in globalThis;
const states = new Map<string, StateStore>();
const media = new Map<string, MediaStore>();

function named<T>(stores: Map<string, T>, name: string, make: () => T): T {
  const store = stores.get(name) ?? make();
  stores.set(name, store);
  return store;
}

/** The conversations under `name`. */
export function stateStoreNamed(name: string): StateStore {
  return named(states, name, () => (isBrowser ? indexedDBStore({ name }) : memoryStore()));
}

/** The media under `name`. */
export function mediaStoreNamed(name: string): MediaStore {
  const database = `${name}-media`;
  return named(media, name, () =>
    isBrowser ? indexedDBMediaStore({ name: database }) : memoryMediaStore(),
  );
}

/** Deletes what is stored under `name`. */
export function forgetStores(name: string): void {
  states.delete(name);
  media.delete(name);
  if (!isBrowser) return;
  indexedDB.deleteDatabase(name);
  indexedDB.deleteDatabase(`${name}-media`);
}
