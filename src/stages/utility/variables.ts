/** Ready-made variable providers: the time, and what a state store remembers. */
import type { StateStore } from '../../state/state-store.ts';
import type { VariableProvider } from './variable-provider-stage.ts';

/** Settings of {@link timeVariables}. */
export interface TimeVariablesOptions {
  /** IANA name such as `Europe/Berlin`. Default `UTC`. */
  readonly timeZone?: string;
  /** Language of the month's and weekday's names, BCP 47. Default `en`. */
  readonly language?: string;
  /** Unix time in ms. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * `current_time` (`2026-03-01T09:30:00+01:00`), `current_date` (`2026-03-01`), `current_year`,
 * `current_month` and `current_weekday` (names), `current_hour` (0…23), as of the turn. Throws a
 * `RangeError` at once when the time zone is unknown.
 */
export function timeVariables(options: TimeVariablesOptions = {}): VariableProvider {
  const { timeZone = 'UTC', language = 'en', now = Date.now } = options;
  const numbers = new Intl.DateTimeFormat('en-US-u-ca-iso8601-nu-latn', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'longOffset',
  });
  const month = new Intl.DateTimeFormat(language, { timeZone, month: 'long' });
  const weekday = new Intl.DateTimeFormat(language, { timeZone, weekday: 'long' });
  return {
    name: 'time',
    provide() {
      const moment = new Date(now());
      const part = new Map(numbers.formatToParts(moment).map(({ type, value }) => [type, value]));
      const of = (type: Intl.DateTimeFormatPartTypes): string => part.get(type) ?? '';
      const date = `${of('year')}-${of('month')}-${of('day')}`;
      // Engines differ in how they write no offset.
      const offset = of('timeZoneName')
        .replace(/^GMT(?:\+00:00)?$/, 'Z')
        .replace('GMT', '');
      return {
        current_time: `${date}T${of('hour')}:${of('minute')}:${of('second')}${offset}`,
        current_date: date,
        current_year: Number(of('year')),
        current_month: month.format(moment),
        current_weekday: weekday.format(moment),
        current_hour: Number(of('hour')),
      };
    },
  };
}

/** Settings of {@link storeVariables}. */
export interface StoreVariablesOptions {
  readonly store: StateStore;
  /** Keys of values of the conversation, each the name of a variable too. */
  readonly keys: readonly string[];
  /** What the store's keys begin with and the variables' names do not. Default none. */
  readonly prefix?: string;
}

/** The values a state store remembers for the conversation; keys without a value give no variable. */
export function storeVariables(options: StoreVariablesOptions): VariableProvider {
  const { store, keys, prefix = '' } = options;
  return {
    name: 'store',
    async provide({ conversation }) {
      const entries = await Promise.all(
        keys.map(async (key) => [key, await store.getValue(conversation, prefix + key)] as const),
      );
      return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
    },
  };
}
