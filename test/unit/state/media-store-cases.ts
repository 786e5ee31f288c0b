/** What every media store does, wherever it keeps its contents. */
import { expect, it } from 'vitest';
import { digestOf, mediaReference } from '../../../src/state/media-reference.ts';
import type { MediaStore, MediaStoreOptions } from '../../../src/state/media-store.ts';

/** Bytes that differ by their seed. */
export const bytes = (length: number, seed = 1): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 7) & 255);

/** Registers the cases; every call of `make` with another name is a store of its own. */
export function mediaStoreCases(
  make: (name: string, options?: MediaStoreOptions) => MediaStore,
): void {
  const fresh = (options?: MediaStoreOptions): MediaStore => make(crypto.randomUUID(), options);

  it('gives back what was put, by the SHA-256 of the content', async () => {
    const store = fresh();
    const data = bytes(1000);
    const reference = await store.put(data, 'image/png');
    expect(reference).toBe(`ni:///sha-256;${await digestOf(data)}?ct=image/png`);
    const back = await store.get(reference);
    expect(back).toEqual(data);
    expect(back?.buffer).not.toBe(data.buffer);
    expect(await store.get(mediaReference(await digestOf(bytes(3))))).toBeUndefined();
  });

  it('keeps a content once, however often and under whatever type it is put', async () => {
    const store = fresh();
    const references = await Promise.all(
      ['image/png', 'image/png', 'application/octet-stream'].map((type) =>
        store.put(bytes(500), type),
      ),
    );
    expect(new Set(references).size).toBe(2);
    expect(await store.list()).toHaveLength(1);
    expect(await store.list()).toMatchObject([{ byteLength: 500 }]);
  });

  it('keeps content without bytes', async () => {
    const store = fresh();
    expect(await store.get(await store.put(new Uint8Array(0), 'text/plain'))).toEqual(
      new Uint8Array(0),
    );
  });

  it('deletes, and takes what was deleted anew', async () => {
    const store = fresh();
    const reference = await store.put(bytes(10), 'image/png');
    await store.delete(reference);
    await store.delete(reference);
    expect(await store.get(reference)).toBeUndefined();
    expect(await store.list()).toEqual([]);
    expect(await store.put(bytes(10), 'image/png')).toBe(reference);
    expect(await store.get(reference)).toEqual(bytes(10));
  });

  it('refuses what is no reference', async () => {
    const store = fresh();
    for (const wrong of ['https://example.com/a.png', 'ni:///sha-256;short', ''])
      for (const call of [store.get(wrong), store.delete(wrong)])
        await expect(call).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('sweeps what nobody refers to, but not what was put just now', async () => {
    const store = fresh({ graceMs: 0 });
    const kept = await store.put(bytes(10, 1), 'image/png');
    const gone = await store.put(bytes(20, 2), 'image/png');
    expect(await store.sweep([kept], { graceMs: 60_000 })).toEqual({ count: 0, bytes: 0 });
    // A reference of another type is one to the same content.
    const other = kept.replace('image/png', 'image/jpeg');
    expect(await store.sweep([other, 'https://example.com'])).toEqual({ count: 1, bytes: 20 });
    expect(await store.get(kept)).toEqual(bytes(10, 1));
    expect(await store.get(gone)).toBeUndefined();
  });

  it('is full at its bound, says so, and keeps what it has', async () => {
    const store = fresh({ maxBytes: 100 });
    const first = await store.put(bytes(60, 1), 'image/png');
    await expect(store.put(bytes(50, 2), 'image/png')).rejects.toMatchObject({
      code: 'storage-full',
      hint: expect.stringMatching(/references/),
    });
    // What it has already needs no room.
    await store.put(bytes(60, 1), 'image/png');
    expect(await store.get(first)).toEqual(bytes(60, 1));
    await store.put(bytes(40, 3), 'image/png');
    expect(await store.list()).toHaveLength(2);
  });

  it('evicts the unreferenced to make room, as many as needed, never the referenced', async () => {
    const references: string[] = [];
    const store = fresh({ maxBytes: 100, graceMs: 0, references: () => references });
    const put: string[] = [];
    for (const seed of [1, 2, 3]) put.push(await store.put(bytes(30, seed), 'image/png'));
    references.push(put[0] ?? '');
    const large = await store.put(bytes(65, 4), 'image/png');
    const here = await Promise.all([...put, large].map((each) => store.get(each)));
    expect(here.map((data) => data?.length)).toEqual([30, undefined, undefined, 65]);
    // There is not enough to evict: nothing goes.
    references.push(large);
    const small = await store.put(bytes(5, 5), 'image/png');
    await expect(store.put(bytes(50, 6), 'image/png')).rejects.toMatchObject({
      code: 'storage-full',
    });
    expect(await store.get(small)).toEqual(bytes(5, 5));
  });

  it('is not put when it was given up', async () => {
    const store = fresh();
    const signal = AbortSignal.abort(new Error('not now'));
    await expect(store.put(bytes(10), 'image/png', { signal })).rejects.toThrow('not now');
    expect(await store.list()).toEqual([]);
  });
}
