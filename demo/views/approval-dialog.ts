/** Asks the person whether a model may use a tool, and takes the question away when it no longer matters. */
import type { ApproveTool } from 'antiphon';
import { make } from '../dom.ts';
import { compact } from './transcript-view.ts';

/** Shows the question; Escape, like everything but "Allow", is a no. */
export const askPerson: ApproveTool = ({ call, tool }, { signal }) =>
  new Promise((resolve) => {
    const dialog = make('dialog');
    const title = make('h2', '', `May it use ${call.name.replaceAll('_', ' ')}?`);
    const detail = compact(call.arguments);
    const actions = make('div', 'actions');
    const deny = make('button', 'quiet', 'Deny');
    const allow = make('button', 'strong', 'Allow');
    const settle = (allowed: boolean): void => {
      dialog.remove();
      resolve(allowed);
    };
    deny.addEventListener('click', () => settle(false));
    allow.addEventListener('click', () => settle(true));
    dialog.addEventListener('cancel', () => settle(false));
    signal.addEventListener('abort', () => settle(false), { once: true });
    actions.append(deny, allow);
    dialog.append(title, make('p', 'fine', tool.description), make('p', '', detail), actions);
    document.body.append(dialog);
    dialog.showModal();
  });
