/** The query parameters, for tests and automation; demo/README.md documents them. */

/** What the address asks for. */
export interface Parameters {
  /** Whether to load the models as soon as the page is open. */
  readonly autostart: boolean;
  readonly conversation: string | undefined;
  /** An OpenAI-compatible server to start with; never with a token. */
  readonly server:
    | {
        readonly api: 'openai-compatible';
        readonly baseURL: string;
        readonly model: string;
      }
    | undefined;
}

/** Reads the parameters of an address. */
export function readParameters(search: string): Parameters {
  const query = new URLSearchParams(search);
  const baseURL = query.get('provider');
  return {
    autostart: query.get('autostart') !== '0',
    conversation: query.get('conversation') ?? undefined,
    server: baseURL
      ? { api: 'openai-compatible', baseURL, model: query.get('model') ?? '' }
      : undefined,
  };
}

/** Keeps a `conversation` parameter true when another conversation is opened; adds none. */
export function followConversation(id: string): void {
  const address = new URL(location.href);
  if (!address.searchParams.has('conversation')) return;
  address.searchParams.set('conversation', id);
  history.replaceState(null, '', address);
}
