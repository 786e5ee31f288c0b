/** Who answers: the offline assistant, the browser's own model, or a server. The token never leaves memory. */
import { promptAPI } from 'antiphon';
import { byId } from '../dom.ts';
import { recall, remember } from '../preferences.ts';

/** The wire formats a server may speak. */
const serverApis = ['openai-compatible', 'openai-responses', 'anthropic', 'gemini'] as const;

/** One of them. */
export type ServerApi = (typeof serverApis)[number];

/** The assistant the person has chosen. */
export type AssistantChoice =
  | { readonly kind: 'offline' }
  | { readonly kind: 'built-in'; readonly tools: false }
  | {
      readonly kind: 'server';
      readonly api: ServerApi;
      /** Empty for the vendor's own. */
      readonly baseURL: string;
      readonly model: string;
      /** Empty for servers that need none. */
      readonly token: string;
      /** Whether the model may use the offline assistant's tools; some can't. */
      readonly tools: boolean;
    };

function apiOf(value: unknown): ServerApi {
  return serverApis.find((api) => api === value) ?? 'openai-compatible';
}

/** The choice of an earlier visit; a server that needed a token is not resumed, for the token is gone. */
export function storedChoice(): AssistantChoice {
  const kind = recall('assistant');
  const model = recall('model');
  if (kind === 'built-in') return { kind, tools: false };
  if (kind !== 'server' || !model) return { kind: 'offline' };
  return {
    kind,
    api: apiOf(recall('api')),
    baseURL: recall('base-url') ?? '',
    model,
    token: '',
    tools: recall('tools') !== 'no',
  };
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
      void this.#askBrowser();
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
    const server = this.#choice.kind === 'server' ? this.#choice : undefined;
    for (const radio of this.#form.querySelectorAll<HTMLInputElement>('[name=kind]'))
      radio.checked = radio.value === this.#choice.kind;
    this.#api.value = server?.api ?? apiOf(recall('api'));
    this.#input('baseURL').value = server?.baseURL ?? recall('base-url') ?? '';
    this.#input('model').value = server?.model ?? recall('model') ?? '';
    this.#input('token').value = server?.token ?? '';
    this.#input('tools').checked = server?.tools ?? recall('tools') !== 'no';
    this.#toggleFields();
  }

  #read(): AssistantChoice {
    const kind = this.#kind;
    if (kind === 'built-in') return { kind, tools: false };
    if (kind !== 'server') return { kind: 'offline' };
    return {
      kind,
      api: apiOf(this.#api.value),
      baseURL: this.#input('baseURL').value.trim().replace(/\/+$/u, ''),
      model: this.#input('model').value.trim(),
      token: this.#input('token').value.trim(),
      tools: this.#input('tools').checked,
    };
  }

  #store(): void {
    const choice = this.#choice;
    const resumable = choice.kind !== 'server' || choice.token === '';
    remember('assistant', resumable ? choice.kind : undefined);
    if (choice.kind !== 'server') return;
    remember('api', choice.api);
    remember('base-url', choice.baseURL);
    remember('model', choice.model);
    remember('tools', choice.tools ? undefined : 'no');
  }

  /** Names the current assistant on the button. */
  show(): void {
    const { kind } = this.#choice;
    const names = { offline: 'offline assistant', 'built-in': 'built-in model' };
    this.#name.textContent = kind === 'server' ? this.#choice.model || 'server' : names[kind];
  }

  /** The browser's own model can be chosen where there is one. */
  async #askBrowser(): Promise<void> {
    const state = await promptAPI().availability();
    this.#input('built-in').disabled = state === 'unavailable';
  }

  #toggleFields(): void {
    this.#fields.disabled = this.#kind !== 'server';
    // The others have an address of their own.
    const needsAddress = this.#api.value === 'openai-compatible';
    this.#input('baseURL').required = needsAddress;
    this.#input('baseURL').placeholder = needsAddress
      ? 'http://localhost:11434/v1'
      : "the vendor's own, or your proxy";
  }

  get #kind(): FormDataEntryValue | null {
    return new FormData(this.#form).get('kind');
  }

  get #api(): HTMLSelectElement {
    return byId('server-api', HTMLSelectElement);
  }

  #input(name: string): HTMLInputElement {
    const input = this.#form.elements.namedItem(name);
    if (!(input instanceof HTMLInputElement)) throw new TypeError(`the form has no field ${name}`);
    return input;
  }
}
