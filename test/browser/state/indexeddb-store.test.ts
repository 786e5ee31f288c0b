import { createStore, set, type UseStore } from 'idb-keyval';
import { afterEach, describe, expect, it } from 'vitest';
import { messageText, textMessage, type Message } from '../../../src/core/element.ts';
import { indexedDBStore } from '../../../src/state/indexeddb-store.ts';

const shown = (messages: readonly Message[]): string[] => messages.map(messageText);
const names: string[] = [];
const fresh = (): string => {
  const name = `antiphon-test-${crypto.randomUUID()}`;
  names.push(name);
  return name;
};

afterEach(() => {
  for (const name of names.splice(0)) indexedDB.deleteDatabase(name);
});

/** An idb-keyval store whose transactions fail. */
function failing(error: unknown): UseStore {
  return async () => {
    throw error;
  };
}

describe('indexedDBStore', () => {
  it('keeps messages in order over a reload, media bytes included', async () => {
    const name = fresh();
    const picture: Message = {
      ...textMessage('user', 'See'),
      parts: [
        { type: 'text', text: 'See' },
        { type: 'image', mediaType: 'image/png', data: new Uint8Array([1, 2, 3]) },
      ],
    };
    const reply = textMessage('assistant', 'Nice', {
      heard: 'Nice',
      generated: 'Nice one',
      toolCalls: [{ id: 'c', name: 'f', arguments: { a: 1 } }],
    });
    const before = indexedDBStore({ name });
    await before.append('a', [picture]);
    await before.append('a', [reply]);
    await before.append('b', [textMessage('user', 'Other')]);
    const after = indexedDBStore({ name });
    expect(await after.load('a')).toEqual([picture, reply]);
    expect(await after.load('nobody')).toEqual([]);
  });

  it('replaces a message of the same id in place', async () => {
    const store = indexedDBStore({ name: fresh() });
    const reply = textMessage('assistant', 'One two three');
    await store.append('a', [textMessage('user', 'Hi'), reply, textMessage('user', 'Bye')]);
    await store.append('a', [{ ...reply, heard: 'One' }]);
    const messages = await store.load('a');
    expect(messages.map(({ heard }) => heard)).toEqual([undefined, 'One', undefined]);
    expect(await store.list()).toMatchObject([{ messageCount: 3 }]);
  });

  it('keeps conversations apart whose names contain one another', async () => {
    const store = indexedDBStore({ name: fresh() });
    for (const id of ['a', 'ab', 'a,b', ''])
      await store.append(id, [textMessage('user', `in ${id}`)]);
    await store.delete('a');
    expect(shown(await store.load('a'))).toEqual([]);
    expect(shown(await store.load('ab'))).toEqual(['in ab']);
    expect(shown(await store.load('a,b'))).toEqual(['in a,b']);
    expect(shown(await store.load(''))).toEqual(['in ']);
  });

  it('lets two tabs append to one conversation and loses nothing', async () => {
    const name = fresh();
    const tabs = [indexedDBStore({ name }), indexedDBStore({ name })];
    const count = 40;
    await Promise.all(
      tabs.map(async (tab, number) => {
        for (let index = 0; index < count; index += 1)
          await tab.append('a', [textMessage('user', `${number}:${index}`)]);
      }),
    );
    const messages = shown(await indexedDBStore({ name }).load('a'));
    expect(messages).toHaveLength(2 * count);
    for (const number of [0, 1])
      expect(messages.filter((text) => text.startsWith(`${number}:`))).toEqual(
        Array.from({ length: count }, (_, index) => `${number}:${index}`),
      );
    expect(await tabs[0]?.list()).toMatchObject([{ messageCount: 2 * count }]);
  });

  it('lists conversations with their titles, newest first, and forgets deleted ones with their values', async () => {
    const store = indexedDBStore({ name: fresh() });
    await store.append('a', [textMessage('assistant', 'Welcome')]);
    await store.append('a', [textMessage('user', 'What time is it')]);
    await store.setValue('a', 'user-name', 'Anna');
    await store.append('b', [textMessage('user', 'Hello')]);
    await store.append('a', [textMessage('user', 'Again')]);
    const listed = await store.list();
    expect(
      listed
        .map(({ id, title, messageCount }) => ({ id, title, messageCount }))
        .sort((x, y) => x.id.localeCompare(y.id)),
    ).toEqual([
      { id: 'a', title: 'What time is it', messageCount: 3 },
      { id: 'b', title: 'Hello', messageCount: 1 },
    ]);
    expect(listed[0]?.updatedAt).toBeGreaterThanOrEqual(listed[1]?.updatedAt ?? 0);
    expect(Object.keys(listed[0] ?? {})).not.toContain('nextPlace');
    await store.delete('a');
    expect((await store.list()).map(({ id }) => id)).toEqual(['b']);
    expect(await store.getValue('a', 'user-name')).toBeUndefined();
  });

  it('keeps values over a reload', async () => {
    const name = fresh();
    await indexedDBStore({ name }).setValue('a', 'user-name', 'Anna');
    expect(await indexedDBStore({ name }).getValue('a', 'user-name')).toBe('Anna');
  });

  it('stores all of an append or nothing', async () => {
    const store = indexedDBStore({ name: fresh() });
    const uncloneable = { ...textMessage('user', 'Two'), meta: () => undefined };
    await expect(
      store.append('a', [textMessage('user', 'One'), uncloneable]),
    ).rejects.toMatchObject({ code: 'storage' });
    expect(await store.load('a')).toEqual([]);
    expect(await store.list()).toEqual([]);
    await store.append('a', [textMessage('user', 'Three')]);
    expect(shown(await store.load('a'))).toEqual(['Three']);
  });

  it('does not touch conversations of a newer version of the page', async () => {
    const name = fresh();
    await set(['schema'], 99, createStore(name, 'conversations'));
    const store = indexedDBStore({ name });
    await expect(store.load('a')).rejects.toMatchObject({
      code: 'storage',
      hint: 'Reload the page to get that version.',
    });
    await expect(store.append('a', [textMessage('user', 'Hi')])).rejects.toMatchObject({
      code: 'storage',
    });
  });

  it.each([
    ['a full disk', new DOMException('full', 'QuotaExceededError'), 'storage-full'],
    ['denied access', new DOMException('denied', 'SecurityError'), 'storage-blocked'],
    ['a private window', new DOMException('no mutation', 'InvalidStateError'), 'storage-blocked'],
    ['anything else', new DOMException('odd', 'UnknownError'), 'storage'],
    ['a transaction aborted without a reason', null, 'storage'],
  ])('says what to do about %s', async (_, error, code) => {
    const store = indexedDBStore({ store: failing(error) });
    const calls = [
      store.load('a'),
      store.append('a', [textMessage('user', 'x')]),
      store.list(),
      store.delete('a'),
      store.getValue('a', 'k'),
      store.setValue('a', 'k', 1),
    ];
    for (const call of calls)
      await expect(call).rejects.toMatchObject({ code, hint: expect.stringMatching(/.{10}/) });
  });

  it('opens a new connection when the browser closed the old one behind its back', async () => {
    const name = fresh();
    const real = createStore(name, 'conversations');
    let lost = true;
    const flaky: UseStore = (mode, work) => {
      if (!lost) return real(mode, work);
      lost = false;
      return Promise.reject(
        new DOMException('The database connection is closing.', 'InvalidStateError'),
      );
    };
    const store = indexedDBStore({ store: flaky });
    await store.append('a', [textMessage('user', 'Hi')]);
    expect(shown(await store.load('a'))).toEqual(['Hi']);
  });
});
