/** The stored conversations: open one, delete one, start a new one. */
import type { ConversationInfo } from 'antiphon';
import { byId, make } from '../dom.ts';

/** What the person may ask for. */
export interface ConversationActions {
  open(id: string): void;
  create(): void;
  delete(id: string): void;
}

/** The list in the left panel. */
export class ConversationList {
  readonly #list = byId('conversation-list', HTMLElement);
  readonly #actions: ConversationActions;

  constructor(actions: ConversationActions) {
    this.#actions = actions;
    byId('new-conversation', HTMLButtonElement).addEventListener('click', () => actions.create());
  }

  /** Shows the conversations, newest first; `current` is listed even before it has a message. */
  show(conversations: readonly ConversationInfo[], current: string): void {
    const focused = document.activeElement?.closest('li')?.dataset['id'];
    const rows = conversations.map((info) => this.#row(info, info.id === current));
    if (!conversations.some((info) => info.id === current)) rows.unshift(this.#fresh());
    this.#list.replaceChildren(...rows);
    if (focused !== undefined)
      rows
        .find((row) => row.dataset['id'] === focused)
        ?.querySelector('button')
        ?.focus();
  }

  #row(info: ConversationInfo, current: boolean): HTMLElement {
    const row = make('li');
    row.dataset['id'] = info.id;
    const title = info.title === '' ? 'Untitled' : info.title;
    const open = this.#label(title, `${when(info.updatedAt)}, ${messages(info.messageCount)}`);
    if (current) open.setAttribute('aria-current', 'true');
    open.addEventListener('click', () => this.#actions.open(info.id));
    row.append(open, this.#delete(info.id, title));
    return row;
  }

  #fresh(): HTMLElement {
    const row = make('li');
    const label = this.#label('New conversation', 'nothing said yet');
    label.setAttribute('aria-current', 'true');
    row.append(label);
    return row;
  }

  #label(title: string, detail: string): HTMLButtonElement {
    const button = make('button', 'conversation');
    button.type = 'button';
    button.append(make('span', '', title), make('span', 'fine', detail));
    return button;
  }

  /** Deleting asks once: the first press arms the button, leaving it disarms. */
  #delete(id: string, title: string): HTMLButtonElement {
    const button = make('button', 'delete');
    button.type = 'button';
    const disarm = (): void => {
      delete button.dataset['armed'];
      button.textContent = '×';
      button.setAttribute('aria-label', `Delete “${title}”`);
    };
    button.addEventListener('blur', disarm);
    button.addEventListener('click', () => {
      if (button.dataset['armed'] !== undefined) return this.#actions.delete(id);
      button.dataset['armed'] = '';
      button.textContent = 'Delete?';
      button.setAttribute('aria-label', `Really delete “${title}”?`);
    });
    disarm();
    return button;
  }
}

function when(atMs: number): string {
  const date = new Date(atMs);
  const today = date.toDateString() === new Date().toDateString();
  return today
    ? date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
    : date.toLocaleDateString([], { day: 'numeric', month: 'short' });
}

function messages(count: number): string {
  return count === 1 ? '1 message' : `${count} messages`;
}
