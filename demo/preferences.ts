/** What the demo remembers between visits besides conversations. A browser that forbids storage only forgets. */

/** A stored preference, or undefined. */
export function recall(key: string): string | undefined {
  try {
    return localStorage.getItem(`antiphon-demo:${key}`) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Stores a preference; undefined forgets it. */
export function remember(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(`antiphon-demo:${key}`);
    else localStorage.setItem(`antiphon-demo:${key}`, value);
  } catch {
    // Storage is blocked or full: the preference lasts as long as the page.
  }
}
