/** Opens documents beside the test's own, each with its own realm, connections and locks. */
import { wrap, type Remote } from 'comlink';
import type { TabApi } from './tab.ts';

/** Another tab, as far as storage can tell. */
export interface Tab {
  readonly api: Remote<TabApi>;
  /** Ends it at once, as a crash does: nothing in it runs any more. */
  kill(): void;
}

/** Opens one. */
export async function openTab(): Promise<Tab> {
  const frame = document.createElement('iframe');
  frame.name = 'antiphon-tab';
  const script = new URL('./tab.ts', import.meta.url).href;
  frame.srcdoc = `<script type="module" src="${script}"></script>`;
  const port = new Promise<MessagePort>((resolve) => {
    const listen = (event: MessageEvent): void => {
      if (event.source !== frame.contentWindow || event.data !== 'antiphon-tab') return;
      window.removeEventListener('message', listen);
      resolve(event.ports[0] as MessagePort);
    };
    window.addEventListener('message', listen);
  });
  document.body.append(frame);
  return { api: wrap<TabApi>(await port), kill: () => frame.remove() };
}
