/** What runs in another tab of the tests: a document with stores, pipelines and locks of its own. */
import { expose } from 'comlink';
import { element, textMessage, type Message } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { StateStoreLoadStage } from '../../../src/stages/conversation/state-store-load-stage.ts';
import { StateStoreSaveStage } from '../../../src/stages/conversation/state-store-save-stage.ts';
import { indexedDBMediaStore } from '../../../src/state/indexeddb-media-store.ts';
import { indexedDBStore } from '../../../src/state/indexeddb-store.ts';
import { opfsMediaStore } from '../../../src/state/opfs-media-store.ts';
import type { MediaStore, MediaStoreOptions } from '../../../src/state/media-store.ts';
import { bytes } from '../../unit/state/media-store-cases.ts';

/** The media stores of browsers. */
export const mediaStores = { indexedDB: indexedDBMediaStore, opfs: opfsMediaStore } as const;

const api = {
  /** Puts contents of the given seeds; how many were refused for lack of room. */
  async put(
    kind: keyof typeof mediaStores,
    name: string,
    seeds: readonly number[],
    options: MediaStoreOptions = {},
  ): Promise<number> {
    const store: MediaStore = mediaStores[kind]({ ...options, name });
    let refused = 0;
    for (const seed of seeds)
      await store.put(bytes(1000, seed), 'image/png').catch((error: { code: string }) => {
        if (error.code !== 'storage-full') throw error;
        refused += 1;
      });
    return refused;
  },
  async get(kind: keyof typeof mediaStores, name: string, reference: string) {
    return mediaStores[kind]({ name }).get(reference);
  },
  /** A session of `turns` turns on a conversation, history first; resolves when it is over. */
  async converse(name: string, who: string, turns: number): Promise<void> {
    await session(name, who, turns, () => Promise.resolve());
  },
  /** The same, but after its last turn it stays in the middle of the session for ever. */
  async hang(name: string, who: string, turns: number): Promise<void> {
    await new Promise<void>((reached) => {
      void session(name, who, turns, () => {
        reached();
        return new Promise(() => {});
      });
    });
  },
};

/** What a tab can be asked. */
export type TabApi = typeof api;

async function session(
  name: string,
  who: string,
  turns: number,
  after: () => Promise<void>,
): Promise<void> {
  const store = indexedDBStore({ name });
  const stored = (count: number): Promise<void> => untilStored(name, who, count);
  const input = async function* () {
    for (let turn = 1; turn <= turns; turn += 1) {
      yield said(turn, textMessage('user', `${who}: question ${turn}`));
      yield said(turn, textMessage('assistant', `${who}: answer ${turn}`));
      yield element('turn-end', { turn });
    }
    await stored(2 * turns);
    await after();
  };
  const run = new PipelineBuilder({ session: 'live' })
    .chain(
      new StateStoreLoadStage({ store, conversation: 'shared', replay: true }),
      new StateStoreSaveStage({ store }),
    )
    .build()
    .execute(input());
  await run.drain();
}

/** Resolves once so many messages of `who` are in the store, session over or not. */
async function untilStored(name: string, who: string, count: number): Promise<void> {
  const store = indexedDBStore({ name });
  for (;;) {
    const messages = await store.load('shared');
    const own = messages.filter(
      ({ parts: [part] }) => part?.type === 'text' && part.text.startsWith(who),
    );
    if (own.length >= count) return;
  }
}

function said(turn: number, message: Message) {
  return element('message', { turn, message });
}

if (globalThis.window?.name === 'antiphon-tab') {
  const { port1, port2 } = new MessageChannel();
  expose(api, port1);
  window.parent.postMessage('antiphon-tab', '*', [port2]);
}
