/** Times, dates and durations: read from words, and put into words. */
import { readNumber, sayNumber, sayOrdinal } from './number-words.ts';
import { isLike } from './words.ts';

/** A moment on the calendar and the clock of a time zone. */
export interface LocalTime {
  readonly year: number;
  /** Name in English, "November". */
  readonly month: string;
  readonly day: number;
  /** Name in English, "Sunday". */
  readonly weekday: string;
  /** 0…23. */
  readonly hour: number;
  readonly minute: number;
}

/** The local time of a Unix time in ms; `timeZone` as IANA name, the device's own unless given. */
export function localTime(atMs: number, timeZone?: string): LocalTime {
  const format = new Intl.DateTimeFormat('en-US', {
    ...(timeZone === undefined ? {} : { timeZone }),
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    weekday: 'long',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  });
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
  const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
  return {
    year: number('year'),
    month: parts.get('month') ?? '',
    day: number('day'),
    weekday: parts.get('weekday') ?? '',
    hour: number('hour'),
    minute: number('minute'),
  };
}

function partOfDay(hour: number): string {
  if (hour < 12) return 'in the morning';
  if (hour < 18) return 'in the afternoon';
  return hour < 22 ? 'in the evening' : 'at night';
}

/** "ten thirty in the morning", "five o'clock in the afternoon", or on a 24-hour clock "twenty two oh five". */
export function sayTime(
  { hour, minute }: { readonly hour: number; readonly minute: number },
  hour12: boolean,
): string {
  const shown = sayNumber(hour12 ? hour % 12 || 12 : hour);
  const past =
    minute === 0 ? "o'clock" : minute < 10 ? `oh ${sayNumber(minute)}` : sayNumber(minute);
  if (!hour12) return `${shown} ${minute === 0 ? 'hundred hours' : past}`;
  if (minute === 0 && hour === 0) return 'midnight';
  if (minute === 0 && hour === 12) return 'noon';
  return `${shown} ${past} ${partOfDay(hour)}`;
}

/** "Sunday, November the twenty second". */
export function sayDate({ weekday, month, day }: LocalTime): string {
  return `${weekday}, ${month} the ${sayOrdinal(day)}`;
}

/** "twenty twenty six", "two thousand and five". */
export function sayYear(year: number): string {
  const [century, rest] = [Math.floor(year / 100), year % 100];
  if (year < 1000 || year > 9999 || (year >= 2000 && year < 2010)) return sayNumber(year);
  if (rest === 0) return `${sayNumber(century)} hundred`;
  return `${sayNumber(century)} ${rest < 10 ? `oh ${sayNumber(rest)}` : sayNumber(rest)}`;
}

const timeUnits: readonly (readonly [name: string, aliases: readonly string[], seconds: number])[] =
  [
    ['hour', ['hour', 'hours', 'our', 'ours'], 3600],
    ['minute', ['minute', 'minutes', 'min', 'mins', 'minuts', 'minit', 'minits'], 60],
    ['second', ['second', 'seconds', 'sec', 'secs', 'sekonds'], 1],
  ];

/** "one hour and five minutes", "a minute" as "one minute". `joined`: as an adjective, "five minute". */
export function sayDuration(seconds: number, joined = false): string {
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [name, , size] of timeUnits) {
    const count = Math.floor(rest / size);
    rest %= size;
    if (count > 0) parts.push(`${sayNumber(count)} ${name}${count === 1 || joined ? '' : 's'}`);
  }
  if (parts.length === 0) return joined ? 'zero second' : 'zero seconds';
  const last = parts.pop() ?? '';
  return parts.length === 0
    ? last
    : `${parts.join(joined ? ' ' : ', ')}${joined ? ' ' : ' and '}${last}`;
}

function unitAt(word: string | undefined): number | undefined {
  return timeUnits.find(
    ([name, aliases]) =>
      word !== undefined && (aliases.includes(word) || isLike(word, name, `${name}s`)),
  )?.[2];
}

/** The number that ends right before `end`: the longest that does. */
function numberBefore(words: readonly string[], end: number): number | undefined {
  for (let begin = Math.max(0, end - 6); begin < end; begin += 1) {
    // "for five minutes": the "for" is no four when a number follows it.
    const number = readNumber(words, begin);
    if (
      number &&
      begin + number.length === end &&
      !(['for', 'to', 'a', 'then', 'an', 'too'].includes(words[begin] ?? '') && end - begin > 1)
    )
      return number.value;
  }
  return undefined;
}

/** The length of time named in a sentence, in seconds: "an hour and a half", "ninety seconds"; undefined when none is. */
export function readDuration(words: readonly string[]): number | undefined {
  let total = 0;
  let found = false;
  for (const [index, word] of words.entries()) {
    const size = unitAt(word);
    if (size === undefined) continue;
    const before = words.slice(Math.max(0, index - 3), index).join(' ');
    let count = numberBefore(words, index);
    if (/half (an?|of an?)$/.test(before) || before.endsWith('half')) count = 0.5;
    else if (/quarter of an?$/.test(before)) count = 0.25;
    else if (/(couple of|couple)$/.test(before)) count = 2;
    else if (before.endsWith('and a half')) count = (numberBefore(words, index - 3) ?? 0) + 0.5;
    if (words.slice(index + 1, index + 4).join(' ') === 'and a half') count = (count ?? 1) + 0.5;
    if (count === undefined) continue;
    total += count * size;
    found = true;
  }
  return found && total > 0 ? total : undefined;
}
