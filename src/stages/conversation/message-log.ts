/** Writes messages to a store in order, off the path of the elements, and forgets none that failed. */
import type { Message } from '../../core/element.ts';
import { serializeError, type ErrorData } from '../../core/errors.ts';
import type { StateStore } from '../../state/state-store.ts';
import type { Clock } from '../../core/time.ts';
import { withDeadline } from './deadline.ts';

/** Messages kept in memory while the store fails; beyond it the oldest are given up. */
const maxUnsaved = 1000;

interface Entry {
  readonly conversation: string;
  readonly message: Message;
}

/** Who hears of what a {@link MessageLog} cannot do. */
export interface MessageLogListeners {
  /** A failure, once until it changes or an append succeeds again. */
  onTrouble(error: ErrorData): void;
  /** A message for which there was no room left, or that no store can copy; it will not be stored. */
  onGivenUp(conversation: string, message: Message): void;
}

/** The queue between a pipeline and a {@link StateStore}; one append is under way at a time. */
export class MessageLog {
  readonly #store: StateStore;
  readonly #patience: { readonly timeoutMs: number; readonly clock: Clock };
  readonly #listeners: MessageLogListeners;
  #unsaved: Entry[] = [];
  #writing: Promise<void> = Promise.resolve();
  #lastTrouble: string | undefined;

  constructor(
    store: StateStore,
    patience: { readonly timeoutMs: number; readonly clock: Clock },
    listeners: MessageLogListeners,
  ) {
    this.#store = store;
    this.#patience = patience;
    this.#listeners = listeners;
  }

  /** Messages not stored yet. */
  get unsaved(): number {
    return this.#unsaved.length;
  }

  /** Queues a message; it is written as soon as those before it are. */
  add(conversation: string, message: Message): void {
    this.#unsaved.push({ conversation, message });
    const lost = this.#unsaved.length > maxUnsaved ? this.#unsaved.shift() : undefined;
    if (lost) this.#listeners.onGivenUp(lost.conversation, lost.message);
    this.#writing = this.#writing.then(() => this.#write());
  }

  /** Resolves when everything was written or has failed once more. */
  async flush(): Promise<void> {
    await this.#writing;
    await this.#write();
  }

  async #write(): Promise<void> {
    let most = maxUnsaved;
    while (this.#unsaved.length > 0) {
      const batch = this.#firstBatch().slice(0, most);
      const conversation = batch[0]?.conversation ?? '';
      try {
        const messages = batch.map(({ message }) => message);
        await withDeadline(
          this.#store.append(conversation, messages),
          this.#patience,
          'store the conversation',
        );
        this.#lastTrouble = undefined;
      } catch (error) {
        this.#report(serializeError(error));
        if (!isNoData(error)) return;
        // One of them holds up the others; which it is shows one by one.
        most = 1;
        if (batch.length > 1) continue;
        for (const { message } of batch) this.#listeners.onGivenUp(conversation, message);
      }
      const done = new Set(batch);
      this.#unsaved = this.#unsaved.filter((entry) => !done.has(entry));
    }
  }

  /** The leading entries of one conversation: what one append can take without changing the order. */
  #firstBatch(): Entry[] {
    const first = this.#unsaved[0]?.conversation;
    const other = this.#unsaved.findIndex(({ conversation }) => conversation !== first);
    return this.#unsaved.slice(0, other === -1 ? undefined : other);
  }

  #report(error: ErrorData): void {
    const trouble = `${error.code} ${error.message}`;
    if (trouble === this.#lastTrouble) return;
    this.#lastTrouble = trouble;
    this.#listeners.onTrouble(error);
  }
}

/** True when what was to be stored is to blame: structured clone can't copy it. */
function isNoData(error: unknown): boolean {
  const { name, cause } = Object(error) as Partial<Error>;
  return [name, (Object(cause) as Partial<Error>).name].includes('DataCloneError');
}
