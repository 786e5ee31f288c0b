/** Conversations in memory: for tests, for Node, and where nothing may be kept. */
import type { Message } from '../core/element.ts';
import { conversationTitle } from './conversation-title.ts';
import type { ConversationInfo, StateStore } from './state-store.ts';

class Conversation {
  readonly messages: Message[] = [];
  readonly values = new Map<string, unknown>();
  readonly createdAt = Date.now();
  updatedAt = this.createdAt;

  append(messages: readonly Message[]): void {
    this.updatedAt = Date.now();
    for (const message of structuredClone(messages)) {
      const place = this.messages.findIndex(({ id }) => id === message.id);
      if (place === -1) this.messages.push(message);
      else this.messages[place] = message;
    }
  }
}

/** A {@link StateStore} that forgets everything with the page. What goes in and out is copied. */
export function memoryStore(): StateStore {
  const conversations = new Map<string, Conversation>();
  const open = (id: string): Conversation => {
    const conversation = conversations.get(id) ?? new Conversation();
    conversations.set(id, conversation);
    return conversation;
  };
  return {
    async load(id) {
      return structuredClone(conversations.get(id)?.messages ?? []);
    },
    async append(id, messages) {
      if (messages.length > 0) open(id).append(messages);
    },
    async list() {
      const infos = [...conversations].map(
        ([id, { messages, createdAt, updatedAt }]): ConversationInfo => ({
          id,
          title: conversationTitle(messages),
          createdAt,
          updatedAt,
          messageCount: messages.length,
        }),
      );
      return infos
        .filter(({ messageCount }) => messageCount > 0)
        .sort((a, b) => b.updatedAt - a.updatedAt);
    },
    async delete(id) {
      conversations.delete(id);
    },
    async getValue(id, key) {
      return structuredClone(conversations.get(id)?.values.get(key));
    },
    async setValue(id, key, value) {
      open(id).values.set(key, structuredClone(value));
    },
  };
}
