/** Where conversations live between visits. */
import type { Message } from '../core/element.ts';

/** A conversation without its messages. */
export interface ConversationInfo {
  readonly id: string;
  /** First words of the user, or empty. */
  readonly title: string;
  /** Unix time in ms. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly messageCount: number;
}

/** Keeps conversations. Every method may throw `storage-blocked`, `storage-full` or `storage`. */
export interface StateStore {
  /** All messages, oldest first; empty for an unknown conversation. */
  load(conversation: string): Promise<readonly Message[]>;
  /** Appends; a message whose id is stored already replaces it in place. Atomic. */
  append(conversation: string, messages: readonly Message[]): Promise<void>;
  /** Newest first. */
  list(): Promise<readonly ConversationInfo[]>;
  delete(conversation: string): Promise<void>;
  /** Values that outlive turns, such as a remembered name. */
  getValue(conversation: string, key: string): Promise<unknown>;
  setValue(conversation: string, key: string, value: unknown): Promise<void>;
}
