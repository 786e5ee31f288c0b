/** Which media the stored conversations refer to, and what becomes of it when they are deleted. */
import type { Message } from '../core/element.ts';
import { parseMediaReference } from './media-reference.ts';
import type { MediaStore } from './media-store.ts';
import type { StateStore } from './state-store.ts';

/** The references in the parts of `messages`. */
export function referencesIn(messages: Iterable<Message>): string[] {
  return [...messages].flatMap(({ parts }) =>
    parts.flatMap((part) =>
      'data' in part && typeof part.data === 'string' && parseMediaReference(part.data)
        ? [part.data]
        : [],
    ),
  );
}

/** All references in the messages of all conversations of `store`, each once; one conversation is in memory at a time. */
export async function mediaReferences(store: StateStore): Promise<Set<string>> {
  const references = new Set<string>();
  for (const { id } of await store.list())
    for (const reference of referencesIn(await store.load(id))) references.add(reference);
  return references;
}

/**
 * `store`, in which deleting a conversation also removes the media that no conversation refers to any more.
 * What was put within the media store's grace period stays until the next deletion or `sweep`. When the media
 * can't be removed, `delete` rejects, but the conversation is deleted.
 */
export function withMediaRetention(store: StateStore, media: MediaStore): StateStore {
  return {
    load: (id) => store.load(id),
    append: (id, messages) => store.append(id, messages),
    list: () => store.list(),
    async delete(id) {
      await store.delete(id);
      await media.sweep(await mediaReferences(store));
    },
    getValue: (id, key) => store.getValue(id, key),
    setValue: (id, key, value) => store.setValue(id, key, value),
  };
}
