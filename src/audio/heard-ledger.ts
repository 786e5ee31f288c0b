/** Books of what the person heard: per turn, the text handed to the voice and the text rendered. */
import type { MessageElement } from '../core/element.ts';

interface Account {
  queued: string;
  heard: string;
}

/** Turns kept at most; older ones were completed or given up long ago. */
const maxTurns = 64;

/** Keeps an account per turn, emptied whenever a message of the assistant takes it along. */
export class HeardLedger {
  readonly #accounts = new Map<number, Account>();

  /** Notes text whose speech arrived for `turn`. */
  queue(turn: number, text: string): void {
    this.#account(turn).queued += text;
  }

  /** Notes text that was rendered to its last sample. Returns all heard of this message so far. */
  hear(turn: number, text: string): string {
    const account = this.#account(turn);
    account.heard += text;
    return account.heard;
  }

  /**
   * The element as it should leave the speaker: a message of the assistant gets `heard` and `queued`
   * (everything since the turn's previous message); anything else, history included, is returned as it is.
   */
  complete(element: MessageElement): MessageElement {
    const { message, turn } = element;
    if (message.role !== 'assistant' || element.meta?.['fromHistory'] === true) return element;
    const { queued, heard } = this.#accounts.get(turn) ?? { queued: '', heard: '' };
    this.#accounts.delete(turn);
    return { ...element, message: { ...message, queued, heard } };
  }

  #account(turn: number): Account {
    let account = this.#accounts.get(turn);
    if (!account) {
      account = { queued: '', heard: '' };
      this.#accounts.set(turn, account);
      for (const oldest of this.#accounts.keys()) {
        if (this.#accounts.size <= maxTurns) break;
        this.#accounts.delete(oldest);
      }
    }
    return account;
  }
}
