/** Sessions of several tabs on one conversation, and one that dies in the middle. */
import { afterEach, describe, expect, it } from 'vitest';
import { element, messageText, textMessage } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { StateStoreLoadStage } from '../../../src/stages/conversation/state-store-load-stage.ts';
import { StateStoreSaveStage } from '../../../src/stages/conversation/state-store-save-stage.ts';
import { MediaExternalizerStage } from '../../../src/stages/utility/media-externalizer-stage.ts';
import { indexedDBMediaStore } from '../../../src/state/indexeddb-media-store.ts';
import { indexedDBStore } from '../../../src/state/indexeddb-store.ts';
import { mediaReferences, withMediaRetention } from '../../../src/state/media-references.ts';
import { only } from '../../../src/testing/elements.ts';
import { openTab, type Tab } from './tabs.ts';

const tabs: Tab[] = [];
const names: string[] = [];
const fresh = (): string => {
  const name = `antiphon-test-${crypto.randomUUID()}`;
  names.push(name);
  return name;
};

afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
  for (const name of names.splice(0)) indexedDB.deleteDatabase(name);
});

const stored = async (name: string): Promise<string[]> =>
  (await indexedDBStore({ name }).load('shared')).map(messageText);

/** What one speaker says and hears in so many turns, in order. */
const expected = (who: string, turns: number): string[] =>
  Array.from({ length: turns }, (_, index) => [
    `${who}: question ${index + 1}`,
    `${who}: answer ${index + 1}`,
  ]).flat();

describe('a conversation in several tabs', () => {
  it('loses nothing of either, keeps the order of each, and says nothing twice', async () => {
    const name = fresh();
    tabs.push(await openTab(), await openTab(), await openTab());
    const turns = 15;
    await Promise.all(tabs.map(({ api }, index) => api.converse(name, `tab ${index}`, turns)));
    const all = await stored(name);
    expect(all).toHaveLength(3 * 2 * turns);
    for (const index of [0, 1, 2]) {
      const who = `tab ${index}`;
      expect(all.filter((text) => text.startsWith(who))).toEqual(expected(who, turns));
    }
    expect(await indexedDBStore({ name }).list()).toMatchObject([{ messageCount: 3 * 2 * turns }]);
  });

  it('is whole up to the last message when a tab dies in mid-session, and goes on in another', async () => {
    const name = fresh();
    const tab = await openTab();
    tabs.push(tab);
    await tab.api.hang(name, 'first', 4);
    tab.kill();
    expect(await stored(name)).toEqual(expected('first', 4));
    const next = await openTab();
    tabs.push(next);
    // It replays what it finds, and must not save it again.
    await next.api.converse(name, 'second', 2);
    expect(await stored(name)).toEqual([...expected('first', 4), ...expected('second', 2)]);
  });
});

describe('media of a conversation in IndexedDB', () => {
  it('is stored apart, comes back in the next visit, and goes with the conversation', async () => {
    const [name, mediaName] = [fresh(), fresh()];
    const conversations = indexedDBStore({ name });
    const media = indexedDBMediaStore({
      name: mediaName,
      graceMs: 0,
      references: () => mediaReferences(conversations),
    });
    const data = new Uint8Array(200_000).fill(7);
    const picture = {
      ...textMessage('user', ''),
      parts: [{ type: 'image', mediaType: 'image/png', data }] as const,
    };
    const pipeline = new PipelineBuilder()
      .chain(
        new StateStoreLoadStage({ store: conversations, conversation: 'a', replay: true }),
        new MediaExternalizerStage({ store: media }),
        new StateStoreSaveStage({ store: conversations }),
      )
      .build();
    await pipeline.executeSync(element('message', { message: picture, turn: 1 }));
    const { outputs } = await pipeline.executeSync(
      element('message', { message: textMessage('user', 'again'), turn: 1 }),
    );
    const [replayed] = only(outputs, 'message');
    const [part] = replayed?.message.parts ?? [];
    const reference = part && 'data' in part ? String(part.data) : '';
    expect(await media.get(reference)).toEqual(data);
    expect(await media.list()).toHaveLength(1);
    await withMediaRetention(conversations, media).delete('a');
    expect(await media.list()).toEqual([]);
  });
});
