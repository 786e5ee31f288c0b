import { createStore, type UseStore } from 'idb-keyval';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { indexedDBMediaStore } from '../../../src/state/indexeddb-media-store.ts';
import { opfsMediaStore } from '../../../src/state/opfs-media-store.ts';
import { bytes, mediaStoreCases } from '../../unit/state/media-store-cases.ts';
import { mediaStores } from './tab.ts';
import { openTab, type Tab } from './tabs.ts';

const names: string[] = [];
const tabs: Tab[] = [];
const fresh = (name: string = crypto.randomUUID()): string => {
  names.push(`test-${name}`);
  return `test-${name}`;
};

afterEach(async () => {
  vi.restoreAllMocks();
  for (const tab of tabs.splice(0)) tab.kill();
  const root = await navigator.storage.getDirectory();
  for (const name of names.splice(0)) {
    indexedDB.deleteDatabase(name);
    await root.removeEntry(name, { recursive: true }).catch(() => undefined);
  }
});

const kinds = ['indexedDB', 'opfs'] as const;

describe.each(kinds)('%s media store', (kind) => {
  mediaStoreCases((name, options) => mediaStores[kind]({ ...options, name: fresh(name) }));

  it('keeps what it has over a reload', async () => {
    const name = fresh();
    const reference = await mediaStores[kind]({ name }).put(bytes(100_000), 'image/png');
    expect(await mediaStores[kind]({ name }).get(reference)).toEqual(bytes(100_000));
    expect(await mediaStores[kind]({ name }).list()).toMatchObject([{ byteLength: 100_000 }]);
  });

  it('is one store to several tabs: everything once, nothing lost, the bound kept', async () => {
    const name = fresh();
    tabs.push(await openTab(), await openTab());
    const seeds = Array.from({ length: 12 }, (_, seed) => seed);
    const refused = await Promise.all(
      // The tabs overlap by eight contents.
      tabs.map(({ api }, tab) =>
        api.put(
          kind,
          name,
          seeds.map((seed) => seed + 4 * tab),
          { maxBytes: 14_000 },
        ),
      ),
    );
    const store = mediaStores[kind]({ name });
    const listed = await store.list();
    expect(listed).toHaveLength(14);
    expect(refused.reduce((sum, each) => sum + each, 0)).toBeGreaterThanOrEqual(2);
    for (const { reference } of listed) expect(await store.get(reference)).toHaveLength(1000);
    const [{ reference } = { reference: '' }] = listed;
    expect(await tabs[0]?.api.get(kind, name, reference)).toEqual(await store.get(reference));
  });

  it('lets a tab that dies in the middle hold up nobody', async () => {
    const name = fresh();
    const tab = await openTab();
    const seeds = Array.from({ length: 200 }, (_, seed) => seed);
    tab.api.put(kind, name, seeds).catch(() => undefined);
    const store = mediaStores[kind]({ name });
    await expect.poll(async () => (await store.list()).length).toBeGreaterThan(2);
    tab.kill();
    const own = await store.put(bytes(5000, 77), 'image/png');
    expect(await store.get(own)).toEqual(bytes(5000, 77));
    for (const { reference, byteLength } of await store.list()) {
      const content = await store.get(reference);
      expect(content).toHaveLength(byteLength);
    }
  });
});

describe('indexedDBMediaStore', () => {
  const failing =
    (name: string): UseStore =>
    async () => {
      throw new DOMException('no', name);
    };

  it.each([
    ['SecurityError', 'storage-blocked', /memoryMediaStore/],
    ['QuotaExceededError', 'storage-full', /sweep/],
    ['UnknownError', 'storage', /Try again/],
  ])('says what to do about %s', async (name, code, hint) => {
    const store = indexedDBMediaStore({ name: fresh(), store: failing(name) });
    const reference = await indexedDBMediaStore({ name: fresh() }).put(bytes(1), 'image/png');
    const calls = [
      () => store.put(bytes(1), 'image/png'),
      () => store.get(reference),
      () => store.delete(reference),
      () => store.list(),
      () => store.sweep([]),
    ];
    for (const call of calls)
      await expect(call()).rejects.toMatchObject({ code, hint: expect.stringMatching(hint) });
  });

  it('removes what was changed behind its back', async () => {
    const name = fresh();
    const raw = createStore(name, 'media');
    const store = indexedDBMediaStore({ name, store: raw });
    const reference = await store.put(bytes(10), 'image/png');
    const [, digest] = /;([^?]*)/.exec(reference) ?? [];
    await raw('readwrite', (objects) => {
      objects.put(bytes(10, 5), ['data', digest ?? '']);
    });
    await expect(store.get(reference)).rejects.toMatchObject({ code: 'storage' });
    expect(await store.get(reference)).toBeUndefined();
  });
});

describe('opfsMediaStore', () => {
  /** Writes a file behind the store's back. */
  const spoil = async (name: string, path: string, text: string): Promise<void> => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(name);
    const writable = await (await folder.getFileHandle(path, { create: true })).createWritable();
    await writable.write(text);
    await writable.close();
  };
  const filesOf = async (name: string): Promise<string[]> => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(name);
    const paths: string[] = [];
    for await (const path of folder.keys()) paths.push(path);
    return paths;
  };

  it('sweeps files that a crash has left', async () => {
    const name = fresh();
    const store = opfsMediaStore({ name, graceMs: 0 });
    const kept = await store.put(bytes(10, 1), 'image/png');
    await store.put(bytes(10, 2), 'image/png');
    await spoil(name, 'x'.repeat(43), 'half a');
    await store.sweep([kept]);
    const [, digest = ''] = /;([^?]*)/.exec(kept) ?? [];
    expect(new Set(await filesOf(name))).toEqual(new Set([digest, 'index.json']));
    expect(await store.get(kept)).toEqual(bytes(10, 1));
  });

  it('finds everything again when its index was cut off', async () => {
    const name = fresh();
    const references = [];
    for (const seed of [1, 2])
      references.push(await opfsMediaStore({ name }).put(bytes(10, seed), 'image/png'));
    await spoil(name, 'index.json', '[{"digest":');
    const store = opfsMediaStore({ name, maxBytes: 25 });
    expect(await store.list()).toHaveLength(2);
    await expect(store.put(bytes(10, 3), 'image/png')).rejects.toMatchObject({
      code: 'storage-full',
    });
    for (const reference of references) expect(await store.get(reference)).toHaveLength(10);
  });

  it('writes in place, in a worker, where files cannot be replaced', async () => {
    const name = fresh();
    const worker = new Worker(new URL('./opfs.worker.ts', import.meta.url), { type: 'module' });
    try {
      worker.postMessage(name);
      const { data: reference } = await new Promise<MessageEvent<string>>((resolve, reject) => {
        worker.onmessage = resolve;
        worker.onerror = (event) => reject(new Error(event.message));
      });
      expect(await opfsMediaStore({ name }).get(reference)).toEqual(bytes(3000));
    } finally {
      worker.terminate();
    }
  });

  it('says so where it cannot write, and leaves nothing behind', async () => {
    const name = fresh();
    const { createWritable } = FileSystemFileHandle.prototype;
    Reflect.deleteProperty(FileSystemFileHandle.prototype, 'createWritable');
    try {
      await expect(opfsMediaStore({ name }).put(bytes(1), 'image/png')).rejects.toMatchObject({
        code: 'unsupported',
        hint: expect.stringMatching(/indexedDBMediaStore/),
      });
      expect(await opfsMediaStore({ name }).list()).toEqual([]);
    } finally {
      FileSystemFileHandle.prototype.createWritable = createWritable;
    }
  });

  it('says so when the browser denies files', async () => {
    vi.spyOn(StorageManager.prototype, 'getDirectory').mockRejectedValue(
      new DOMException('no', 'SecurityError'),
    );
    const store = opfsMediaStore({ name: fresh() });
    await expect(store.put(bytes(1), 'image/png')).rejects.toMatchObject({
      code: 'storage-blocked',
    });
    await expect(store.list()).rejects.toMatchObject({ code: 'storage-blocked' });
  });

  it('leaves nothing of a write that the browser has no room for', async () => {
    const name = fresh();
    vi.spyOn(FileSystemWritableFileStream.prototype, 'write').mockRejectedValue(
      new DOMException('full', 'QuotaExceededError'),
    );
    const store = opfsMediaStore({ name });
    await expect(store.put(bytes(10), 'image/png')).rejects.toMatchObject({ code: 'storage-full' });
    vi.restoreAllMocks();
    expect(await store.list()).toEqual([]);
    const reference = await store.put(bytes(10), 'image/png');
    expect(await store.get(reference)).toEqual(bytes(10));
  });
});
