/** On narrow screens the outer panels are drawers, opened by buttons in the header. */
import { byId } from '../dom.ts';

/** Wires the two drawer buttons; Escape, or a press elsewhere, closes. */
export function startDrawers(): void {
  const drawers = ['conversations', 'inside'].map((id) => ({
    panel: byId(id, HTMLElement),
    button: byId(`show-${id}`, HTMLButtonElement),
  }));
  const open = (panel: HTMLElement, is: boolean): void => {
    for (const drawer of drawers) {
      const shown = is && drawer.panel === panel;
      drawer.panel.toggleAttribute('data-open', shown);
      drawer.button.setAttribute('aria-expanded', String(shown));
    }
  };
  for (const { panel, button } of drawers) {
    button.addEventListener('click', () => open(panel, !panel.hasAttribute('data-open')));
    addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !panel.hasAttribute('data-open')) return;
      open(panel, false);
      button.focus();
    });
    addEventListener('pointerdown', (event) => {
      if (!(event.target instanceof Node) || panel.contains(event.target)) return;
      if (!button.contains(event.target) && panel.hasAttribute('data-open')) open(panel, false);
    });
  }
}
