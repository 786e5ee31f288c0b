import { describe, expect, it } from 'vitest';
import { broadcast } from '../../../../src/core/channel/broadcast.ts';
import { channel } from '../../../../src/core/channel/channel.ts';
import { merge } from '../../../../src/core/channel/merge.ts';
import { AntiphonError } from '../../../../src/core/errors.ts';
import { collect } from '../../../../src/testing/index.ts';

/** Lets everything that can run without outside help run. */
async function settle(): Promise<void> {
  for (let tick = 0; tick < 50; tick += 1) await Promise.resolve();
}

describe('channel', () => {
  it('offers synchronously until it is full, and writes wait for room in order', async () => {
    const { writer, reader } = channel<number>({ capacity: 2 });
    expect([writer.offer(1), writer.offer(2), writer.offer(3)]).toEqual([true, true, false]);
    const order: number[] = [];
    const third = writer.write(3).then(() => order.push(3));
    const fourth = writer.write(4).then(() => order.push(4));
    expect(writer.offer(5)).toBe(false);
    expect(reader.poll()).toBe(1);
    await third;
    expect(order).toEqual([3]);
    expect(reader.depth).toBe(2);
    expect([reader.poll(), reader.poll()]).toEqual([2, 3]);
    await fourth;
    writer.close();
    expect(await collect(reader)).toEqual([4]);
  });

  it('delivers everything written before close, waiting writes included', async () => {
    const { writer, reader } = channel<number>({ capacity: 1 });
    const writes = [writer.write(1), writer.write(2), writer.write(3)];
    writer.close();
    expect(writer.offer(4)).toBe(false);
    await expect(writer.write(4)).rejects.toMatchObject({ code: 'channel-closed' });
    expect(await collect(reader)).toEqual([1, 2, 3]);
    await Promise.all(writes);
  });

  it('discards what waits and rejects both ends when the writer fails', async () => {
    const { writer, reader } = channel<number>({ capacity: 1 });
    await writer.write(1);
    const waiting = writer.write(2);
    const reason = new AntiphonError('stage', 'broken');
    writer.fail(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(reader.next()).rejects.toBe(reason);
    await expect(writer.write(3)).rejects.toBe(reason);
  });

  it('tells the writer when the reader leaves a loop', async () => {
    const { writer, reader } = channel<number>({ capacity: 1 });
    await writer.write(1);
    const waiting = writer.write(2);
    for await (const value of reader) if (value === 1) break;
    // Taking 1 made room for 2, which nobody will read.
    await waiting;
    expect(writer.cancelled.aborted).toBe(true);
    await expect(writer.write(3)).rejects.toMatchObject({ code: 'channel-closed' });
  });

  it('takes a waiting write back when its signal aborts', async () => {
    const { writer, reader } = channel<number>({ capacity: 1 });
    await writer.write(1);
    const control = new AbortController();
    const waiting = writer.write(2, { signal: control.signal });
    control.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    writer.close();
    expect(await collect(reader)).toEqual([1]);
  });

  it('delivers what overtakes before everything that waits', async () => {
    const { writer, reader } = channel<string>({ capacity: 2 });
    writer.offer('a');
    writer.offer('b');
    writer.overtake('now');
    writer.close();
    expect(await collect(reader)).toEqual(['now', 'a', 'b']);
  });

  it.each([
    ['drop-oldest', [3, 4], [1, 2]],
    ['drop-newest', [1, 2], [3, 4]],
  ] as const)('%s keeps the capacity and reports what it dropped', async (overflow, kept, gone) => {
    const dropped: number[] = [];
    const { writer, reader } = channel<number>({
      capacity: 2,
      overflow,
      onDrop: (value) => dropped.push(value),
    });
    for (const value of [1, 2, 3, 4]) expect(writer.offer(value)).toBe(true);
    writer.close();
    expect(await collect(reader)).toEqual(kept);
    expect(dropped).toEqual(gone);
  });

  it('fails with channel-overflow under the policy "fail"', async () => {
    const { writer, reader } = channel<number>({ capacity: 1, overflow: 'fail' });
    expect(writer.offer(1)).toBe(true);
    expect(writer.offer(2)).toBe(false);
    await expect(reader.next()).rejects.toMatchObject({ code: 'channel-overflow' });
  });

  it('rejects a capacity below one', () => {
    expect(() => channel({ capacity: 0 })).toThrow(/capacity is 0/);
  });
});

describe('merge', () => {
  it('takes turns between inputs that are all full', async () => {
    const inputs = ['a', 'b', 'c'].map((name) => {
      const { writer, reader } = channel<string>({ capacity: 3 });
      for (let count = 0; count < 3; count += 1) writer.offer(name);
      writer.close();
      return reader;
    });
    expect((await collect(merge(inputs))).join('')).toBe('abcabcabc');
  });

  it('cancels every input on an early exit, parked ones too', async () => {
    const busy = channel<number>({ capacity: 1 });
    const parked = channel<number>({ capacity: 1 });
    busy.writer.offer(1);
    for await (const _ of merge([busy.reader, parked.reader])) break;
    expect(busy.writer.cancelled.aborted).toBe(true);
    expect(parked.writer.cancelled.aborted).toBe(true);
  });

  it('fails with the first input that fails and cancels the others', async () => {
    const broken = channel<number>({ capacity: 1 });
    const other = channel<number>({ capacity: 1 });
    const merged = collect(merge([broken.reader, other.reader]));
    broken.writer.fail(new Error('gone'));
    await expect(merged).rejects.toThrow('gone');
    expect(other.writer.cancelled.aborted).toBe(true);
  });
});

describe('broadcast', () => {
  it('gives every branch everything, and no two branches the same object', async () => {
    const left = channel<{ id: number }>({ capacity: 4 });
    const right = channel<{ id: number }>({ capacity: 4 });
    const all = broadcast([left.writer, right.writer], (value) => ({ ...value }));
    const value = { id: 1 };
    expect(all.offer(value)).toBe(true);
    await all.write({ id: 2 });
    all.close();
    const [lefts, rights] = await Promise.all([collect(left.reader), collect(right.reader)]);
    expect(lefts).toEqual([{ id: 1 }, { id: 2 }]);
    expect(rights).toEqual(lefts);
    expect(lefts[0]).not.toBe(rights[0]);
    expect(rights[0]).toBe(value);
  });

  it('waits for a slow branch that waits, but not for one that drops', async () => {
    const waits = channel<number>({ capacity: 1 });
    const drops = channel<number>({ capacity: 1, overflow: 'drop-newest' });
    const all = broadcast([waits.writer, drops.writer], (value) => value);
    expect(all.offer(1)).toBe(true);
    expect(all.offer(2)).toBe(false);
    let written = false;
    const second = all.write(2).then(() => (written = true));
    await settle();
    expect(written).toBe(false);
    waits.reader.poll();
    await second;
    expect(drops.reader.poll()).toBe(1);
    expect(waits.reader.poll()).toBe(2);
  });

  it('goes on without a branch that leaves while it waits, and is cancelled with the last', async () => {
    const stays = channel<number>({ capacity: 8 });
    const leaves = channel<number>({ capacity: 1 });
    const all = broadcast([leaves.writer, stays.writer], (value) => value);
    await all.write(1);
    const second = all.write(2);
    leaves.reader.cancel();
    await second;
    await all.write(3);
    expect(stays.reader.depth).toBe(3);
    expect(all.cancelled.aborted).toBe(false);
    stays.reader.cancel();
    expect(all.cancelled.aborted).toBe(true);
    await expect(all.write(4)).rejects.toMatchObject({ code: 'channel-closed' });
  });
});
