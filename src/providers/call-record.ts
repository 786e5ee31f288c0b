/** What was called in a turn: notices calls that repeat themselves, and tools that only fail. */
import type { ToolCall } from '../core/element.ts';

/** JSON with the keys of every object in order, so that equal values give equal texts. */
function canonical(value: unknown): string {
  const text = JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  ) as string | undefined;
  return text ?? 'undefined';
}

/** The same for two calls of one tool whose arguments are the same JSON, however their keys are ordered. */
export function callKey({ name, arguments: args }: ToolCall): string {
  return `${name} ${canonical(args)}`;
}

/** One per turn. */
export class CallRecord {
  readonly #made = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #excluded = new Set<string>();

  /** Notes a call. Returns how often it was made so far with these arguments, this time included. */
  add(call: ToolCall): number {
    const key = callKey(call);
    const made = (this.#made.get(key) ?? 0) + 1;
    this.#made.set(key, made);
    return made;
  }

  /** Notes how the calls of a round ended. Returns the tools that did nothing but fail in `maxFailures` rounds in a row. */
  settle(
    outcomes: readonly { readonly call: ToolCall; readonly isError: boolean }[],
    maxFailures: number,
  ): string[] {
    const names = new Set(outcomes.map(({ call }) => call.name));
    return [...names].filter((name) => {
      const own = outcomes.filter(({ call }) => call.name === name);
      const failures = own.every(({ isError }) => isError)
        ? (this.#failures.get(name) ?? 0) + 1
        : 0;
      this.#failures.set(name, failures);
      if (failures < maxFailures || this.#excluded.has(name)) return false;
      this.#excluded.add(name);
      return true;
    });
  }

  /** True for a tool that failed too often. */
  excludes(name: string): boolean {
    return this.#excluded.has(name);
  }
}
