/** Who answers: the offline assistant, or a server the person names. The token never leaves memory. */
import { byId } from '../dom.ts';
import { recall, remember } from '../preferences.ts';

/** The assistant the person has chosen. */
export type AssistantChoice =
  | { readonly kind: 'offline' }
  | {
      readonly kind: 'openai-compatible';
      readonly baseURL: string;
      readonly model: string;
      /** Empty for servers that need none. */
      readonly token: string;
      /** Whether the model may use the offline assistant's tools; some can't. */
      readonly tools: boolean;
    };

/** The choice of an earlier visit; a server that needed a token is not resumed, for the token is gone. */
export function storedChoice(): AssistantChoice {
  const baseURL = recall('base-url');
  const model = recall('model');
  return recall('assistant') === 'openai-compatible' && baseURL && model
    ? { kind: 'openai-compatible', baseURL, model, token: '', tools: recall('tools') !== 'no' }
    : { kind: 'offline' };
}

/** Wires the settings dialog, which opens by the button that names the current assistant. */
export function startSettings(
  choice: AssistantChoice,
  onChoose: (choice: AssistantChoice) => void,
): void {
  new SettingsDialog(choice, onChoose).show();
}

class SettingsDialog {
  readonly #dialog = byId('settings', HTMLDialogElement);
  readonly #form = byId('settings-form', HTMLFormElement);
  readonly #fields = byId('server-fields', HTMLFieldSetElement);
  readonly #name = byId('provider-name', HTMLElement);
  #choice: AssistantChoice;

  constructor(choice: AssistantChoice, onChoose: (choice: AssistantChoice) => void) {
    this.#choice = choice;
    byId('show-settings', HTMLButtonElement).addEventListener('click', () => {
      this.#fill();
      this.#dialog.showModal();
    });
    byId('settings-cancel', HTMLButtonElement).addEventListener('click', () =>
      this.#dialog.close(),
    );
    this.#form.addEventListener('change', () => this.#toggleFields());
    this.#form.addEventListener('submit', () => {
      this.#choice = this.#read();
      this.#store();
      this.show();
      onChoose(this.#choice);
    });
    this.#dialog.addEventListener('close', () => {
      this.#input('token').value = '';
    });
  }

  #fill(): void {
    const server = this.#choice.kind === 'openai-compatible' ? this.#choice : undefined;
    for (const radio of this.#form.querySelectorAll<HTMLInputElement>('[name=kind]'))
      radio.checked = radio.value === this.#choice.kind;
    this.#input('baseURL').value = server?.baseURL ?? recall('base-url') ?? '';
    this.#input('model').value = server?.model ?? recall('model') ?? '';
    this.#input('token').value = server?.token ?? '';
    this.#input('tools').checked = server?.tools ?? recall('tools') !== 'no';
    this.#toggleFields();
  }

  #read(): AssistantChoice {
    if (new FormData(this.#form).get('kind') !== 'openai-compatible') return { kind: 'offline' };
    return {
      kind: 'openai-compatible',
      baseURL: this.#input('baseURL').value.trim().replace(/\/+$/u, ''),
      model: this.#input('model').value.trim(),
      token: this.#input('token').value.trim(),
      tools: this.#input('tools').checked,
    };
  }

  #store(): void {
    const choice = this.#choice;
    const server = choice.kind === 'openai-compatible' ? choice : undefined;
    remember('assistant', server?.token === '' ? choice.kind : undefined);
    if (server === undefined) return;
    remember('base-url', server.baseURL);
    remember('model', server.model);
    remember('tools', server.tools ? undefined : 'no');
  }

  /** Names the current assistant on the button. */
  show(): void {
    this.#name.textContent =
      this.#choice.kind === 'offline' ? 'offline assistant' : this.#choice.model || 'server';
  }

  #toggleFields(): void {
    this.#fields.disabled = new FormData(this.#form).get('kind') !== 'openai-compatible';
  }

  #input(name: string): HTMLInputElement {
    const input = this.#form.elements.namedItem(name);
    if (!(input instanceof HTMLInputElement)) throw new TypeError(`the form has no field ${name}`);
    return input;
  }
}
