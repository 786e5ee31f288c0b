/** Trouble, said where it can be seen and heard: what happened, and what to do about it. */
import { make } from '../dom.ts';

const atMost = 4;

/** The stack of toasts in a corner of the page. */
export class Toasts {
  readonly #place: HTMLElement;
  readonly #seen = new WeakSet<Error>();
  readonly #open = new Map<string, { toast: HTMLElement; code: HTMLElement; times: number }>();

  constructor(place: HTMLElement) {
    this.#place = place;
  }

  /**
   * Shows an error; an equal one again only counts up, and one that was both thrown and reported is one.
   * What a person cancelled is no trouble.
   */
  show(error: unknown): void {
    if (error instanceof Error) {
      if (this.#seen.has(error)) return;
      this.#seen.add(error);
    }
    const { code, message, hint } = describe(error);
    if (code === 'aborted') return;
    const key = `${code} ${message}`;
    const shown = this.#open.get(key);
    if (shown !== undefined) {
      shown.times += 1;
      shown.code.textContent = `${code} (${shown.times} times)`;
      return;
    }
    const toast = make('div', 'toast');
    toast.setAttribute('role', 'alert');
    const dismiss = make('button', '', '×');
    dismiss.type = 'button';
    dismiss.setAttribute('aria-label', 'Dismiss');
    dismiss.addEventListener('click', () => this.#close(key));
    const codeText = make('code', '', code);
    toast.append(make('p', 'message', message), dismiss, make('p', 'hint', hint), codeText);
    this.#open.set(key, { toast, code: codeText, times: 1 });
    this.#place.append(toast);
    const [oldest] = this.#open.keys();
    if (this.#open.size > atMost && oldest !== undefined) this.#close(oldest);
  }

  /** Closes all toasts, when what they complain about has been tried again. */
  clear(): void {
    for (const key of this.#open.keys()) this.#close(key);
  }

  #close(key: string): void {
    this.#open.get(key)?.toast.remove();
    this.#open.delete(key);
  }
}

function describe(error: unknown): { code: string; message: string; hint: string } {
  if (!(error instanceof Error)) return { code: 'unknown', message: String(error), hint: '' };
  const field = (name: string): string => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === 'string' ? value : '';
  };
  return { code: field('code') || error.name, message: error.message, hint: field('hint') };
}
