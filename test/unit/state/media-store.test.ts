import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { textMessage, type Message } from '../../../src/core/element.ts';
import {
  digestOf,
  mediaReference,
  parseMediaReference,
} from '../../../src/state/media-reference.ts';
import {
  mediaReferences,
  referencesIn,
  withMediaRetention,
} from '../../../src/state/media-references.ts';
import { oneByOne, type MediaRecord, type MediaShelf } from '../../../src/state/media-shelf.ts';
import { memoryMediaStore } from '../../../src/state/memory-media-store.ts';
import { memoryStore } from '../../../src/state/memory-store.ts';
import { ShelvedMediaStore } from '../../../src/state/shelved-media-store.ts';
import { bytes, mediaStoreCases } from './media-store-cases.ts';

const picture = (data: Uint8Array<ArrayBuffer> | string): Message => ({
  ...textMessage('user', 'See'),
  parts: [
    { type: 'text', text: 'See' },
    { type: 'image', mediaType: 'image/png', data },
  ],
});

/** A shelf in memory whose contents a test may spoil and whose browser may be full. */
function shelf(
  quota = Infinity,
): MediaShelf & { readonly contents: Map<string, Uint8Array<ArrayBuffer>>; told: number } {
  const contents = new Map<string, Uint8Array<ArrayBuffer>>();
  const records = new Map<string, MediaRecord>();
  const used = (): number => [...contents.values()].reduce((sum, { length }) => sum + length, 0);
  return {
    contents,
    told: Infinity,
    exclusively: oneByOne(),
    record: async (digest) => records.get(digest),
    records: async () => [...records.values()],
    total: async () => used(),
    read: async (digest) => contents.get(digest),
    async write(record, data) {
      if (used() + data.length > quota) throw new DOMException('full', 'QuotaExceededError');
      contents.set(record.digest, data);
      records.set(record.digest, record);
    },
    async note(record) {
      records.set(record.digest, record);
    },
    async remove(digests) {
      for (const digest of digests) {
        contents.delete(digest);
        records.delete(digest);
      }
    },
    async available() {
      return this.told;
    },
  };
}

describe('memoryMediaStore', () => {
  mediaStoreCases((_, options) => memoryMediaStore(options));
});

describe('the rules of a media store', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('evicts the least recently used first, reading being a use', async () => {
    const store = memoryMediaStore({ maxBytes: 30, graceMs: 0, references: () => [] });
    const put: string[] = [];
    for (const seed of [1, 2, 3]) {
      put.push(await store.put(bytes(10, seed), 'image/png'));
      vi.advanceTimersByTime(100_000);
    }
    await store.get(put[0] ?? '');
    await vi.waitFor(async () => expect((await store.list()).at(-1)?.usedAtMs).toBe(1_300_000));
    await store.put(bytes(10, 4), 'image/png');
    const here = await Promise.all(put.map((each) => store.get(each)));
    expect(here.map((data) => data !== undefined)).toEqual([true, false, true]);
  });

  it('does not evict what was put within the grace period, referenced or not', async () => {
    const store = memoryMediaStore({ maxBytes: 10, graceMs: 1000, references: () => [] });
    await store.put(bytes(10, 1), 'image/png');
    vi.advanceTimersByTime(999);
    await expect(store.put(bytes(10, 2), 'image/png')).rejects.toMatchObject({
      code: 'storage-full',
    });
    // Put again by a message under way: its time begins anew.
    await store.put(bytes(10, 1), 'image/png');
    vi.advanceTimersByTime(999);
    await expect(store.put(bytes(10, 2), 'image/png')).rejects.toMatchObject({
      code: 'storage-full',
    });
    vi.advanceTimersByTime(1);
    await store.put(bytes(10, 2), 'image/png');
    expect(await store.list()).toHaveLength(1);
  });

  it('leaves headroom of the browser’s quota to others', async () => {
    const on = shelf();
    const store = new ShelvedMediaStore(on, { headroomBytes: 50 });
    on.told = 70;
    await store.put(bytes(20, 1), 'image/png');
    on.told = 69;
    await expect(store.put(bytes(20, 2), 'image/png')).rejects.toMatchObject({
      code: 'storage-full',
      retryable: true,
    });
  });

  it('evicts when the browser turns out to be full, and says so when that does not help', async () => {
    const on = shelf(40);
    const store = new ShelvedMediaStore(on, { graceMs: 0, references: () => [] });
    for (const seed of [1, 2, 3, 4]) await store.put(bytes(10, seed), 'image/png');
    await store.put(bytes(25, 5), 'image/png');
    expect([...on.contents.values()].map(({ length }) => length)).toEqual([10, 25]);
    await expect(store.put(bytes(50, 6), 'image/png')).rejects.toMatchObject({
      code: 'storage-full',
    });
    const without = new ShelvedMediaStore(shelf(5));
    await expect(without.put(bytes(10), 'image/png')).rejects.toMatchObject({
      code: 'storage-full',
    });
  });

  it('does not pass on what is damaged, removes it, and takes it anew', async () => {
    const on = shelf();
    const store = new ShelvedMediaStore(on);
    const reference = await store.put(bytes(10), 'image/png');
    on.contents.set(parseMediaReference(reference)?.digest ?? '', bytes(10, 9));
    await expect(store.get(reference)).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringMatching(/damaged/),
    });
    expect(await store.get(reference)).toBeUndefined();
    expect(await store.put(bytes(10), 'image/png')).toBe(reference);
    expect(await store.get(reference)).toEqual(bytes(10));
  });

  it('writes anew what a crash cut off', async () => {
    const on = shelf();
    const store = new ShelvedMediaStore(on);
    const digest = await digestOf(bytes(10));
    await on.write({ digest, byteLength: 4, putAtMs: 0, usedAtMs: 0 }, bytes(4));
    const reference = await store.put(bytes(10), 'image/png');
    expect(await store.get(reference)).toEqual(bytes(10));
  });

  it('refuses bounds that make no sense', () => {
    expect(() => memoryMediaStore({ maxBytes: -1 })).toThrow(/maxBytes is -1/);
    expect(() => memoryMediaStore({ graceMs: Number.NaN })).toThrow(/graceMs/);
  });
});

describe('references', () => {
  it('are URLs that survive parsing, with any media type', () => {
    const digest = 'A-_0'.repeat(10) + 'abc';
    for (const type of ['image/png', 'audio/webm;codecs="opus"', 'text/plain; charset=utf-8']) {
      const reference = mediaReference(digest, type);
      expect(new URL(reference).href).toBe(reference);
      expect(parseMediaReference(reference)).toEqual({ digest, mediaType: type });
    }
    expect(parseMediaReference(mediaReference(digest))).toEqual({ digest });
    for (const other of [
      'ni:///sha-256;x',
      `ni:///sha-512;${digest}`,
      `ni:///sha-256;${digest}?ct=%zz`,
    ])
      expect(parseMediaReference(other)).toBeUndefined();
  });

  it('are found in messages and conversations, each once', async () => {
    const [one, two] = [
      mediaReference('a'.repeat(43), 'image/png'),
      mediaReference('b'.repeat(43)),
    ];
    const messages = [picture(one), picture('https://example.com/x.png'), picture(bytes(3))];
    expect(referencesIn(messages)).toEqual([one]);
    const store = memoryStore();
    await store.append('a', messages);
    await store.append('b', [picture(two), picture(one)]);
    expect([...(await mediaReferences(store))].sort()).toEqual([one, two]);
  });

  it('of a deleted conversation go with it, unless another one has them', async () => {
    const media = memoryMediaStore({ graceMs: 0 });
    const store = withMediaRetention(memoryStore(), media);
    const own = await media.put(bytes(10, 1), 'image/png');
    const shared = await media.put(bytes(10, 2), 'image/png');
    await store.append('a', [picture(own), picture(shared)]);
    await store.append('b', [picture(shared)]);
    await store.delete('a');
    expect(await store.load('a')).toEqual([]);
    expect(await media.get(own)).toBeUndefined();
    expect(await media.get(shared)).toEqual(bytes(10, 2));
    await store.delete('b');
    expect(await media.list()).toEqual([]);
  });
});
