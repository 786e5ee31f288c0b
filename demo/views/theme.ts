/** The light and dark toggle: as the system says, until the person chooses. */
import { byId, makeSvg } from '../dom.ts';
import { recall, remember } from '../preferences.ts';

type Theme = 'system' | 'light' | 'dark';

const order: readonly Theme[] = ['system', 'light', 'dark'];
const shapes: Readonly<Record<Theme, string>> = {
  system: 'M12 3a9 9 0 1 0 0 18ZM12 3a9 9 0 0 1 0 18',
  light:
    'M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8ZM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5',
  dark: 'M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5Z',
};

/** Wires the toggle; `onChange` runs whenever the colours on screen have changed. */
export function startTheme(onChange: () => void): void {
  const button = byId('theme', HTMLButtonElement);
  let theme: Theme = order.find((known) => known === recall('theme')) ?? 'system';
  const apply = (): void => {
    const next = order[(order.indexOf(theme) + 1) % order.length] ?? 'system';
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    const icon = makeSvg('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true' });
    icon.append(makeSvg('path', { d: shapes[theme] }));
    button.replaceChildren(icon);
    button.title = `Colours: ${theme}`;
    button.setAttribute('aria-label', `Colours: ${theme}. Change to ${next}`);
    onChange();
  };
  button.addEventListener('click', () => {
    theme = order[(order.indexOf(theme) + 1) % order.length] ?? 'system';
    remember('theme', theme);
    apply();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onChange);
  apply();
}
