/** What to do about a sentence: say something, or call a tool. */
import { freshJoke } from './jokes.ts';
import { intentOf } from './intents.ts';
import { readNumber, sayNumber } from './number-words.ts';
import type { Intent } from './phrases.ts';
import { mendedWords } from './repair.ts';
import { spokenArithmetic } from './spoken-arithmetic.ts';
import { spokenName } from './spoken-name.ts';
import { readDuration } from './spoken-time.ts';
import { longestTimerSeconds } from './timers.ts';
import { isLike, someLike } from './words.ts';

/** What was said before: the user's sentences and the replies, oldest first, and the last result of a calculation. */
export interface Past {
  readonly asked: readonly string[];
  readonly replied: readonly string[];
  readonly lastResult?: number;
}

/** The next step. `topic`: what the answer to a tool is about, where one tool serves several questions. */
export type Plan =
  | { readonly say: string }
  | { readonly tool: string; readonly arguments: Readonly<Record<string, unknown>> };

/** Asked back when a timer has no length; the answer to it is understood as one. */
export const askDuration = 'For how long should I set it?';
/** What it answers when it cannot: who it is, and what it can. */
export const cannot =
  "I am a small rule-based assistant that runs in your browser, and I can't answer that one yet. Ask me for the time, the date, a sum, a timer or a joke.";
const cannotEither = "I can't answer that one either. Say help to hear what I can do.";

const chat: Partial<Record<Intent, string>> = {
  help: 'I can tell the time and the date, do sums, set timers, remember your name, count, and tell jokes. You can interrupt me whenever you like.',
  identity:
    'I am Antiphon, a small rule-based assistant that runs in your browser. Ask me for the time, a sum, a timer or a joke.',
  human: 'No, I am a small program with a handful of rules, running in your browser.',
  'how-are-you': 'All my rules are in order, thank you. What can I do for you?',
  greeting: 'Hello. What can I do for you?',
  thanks: 'You are welcome.',
  goodbye: 'Goodbye. Talk to you soon.',
  stop: 'All right.',
  yes: 'Good. What would you like?',
  no: 'All right.',
  sorry: 'No harm done.',
  praise: 'Thank you, that is kind.',
  weather:
    "I can't look that up, I only know what is in this page. I can tell you the time, though.",
};

const sayOnly = (say: string): Plan => ({ say });
const call = (tool: string, args: Readonly<Record<string, unknown>> = {}): Plan => ({
  tool,
  arguments: args,
});

function timerPlan(words: readonly string[], past: Past): Plan | undefined {
  // "timeis" is more likely two words run together than a timer.
  const timer = words.some(
    (word) => !/^time[^r]/.test(word) && isLike(word, 'timer', 'timers', 'alarm', 'countdown'),
  );
  const seconds = readDuration(words);
  const wanted = timer || someLike(words, 'set', 'start', 'remind', 'wake', 'alert');
  const asking =
    words.some((word) => ['left', 'remaining', 'remains'].includes(word)) ||
    someLike(words, 'remaining', 'running');
  if (timer && someLike(words, 'cancel', 'stop', 'delete', 'clear', 'remove', 'end'))
    return call('cancel_timers');
  if (asking && (timer || someLike(words, 'time', 'long', 'much'))) return call('list_timers');
  if (
    timer &&
    seconds === undefined &&
    someLike(words, 'how', 'check', 'status', 'many', 'when', 'what')
  )
    return call('list_timers');
  const answering = past.replied.at(-1) === askDuration;
  if (seconds !== undefined && (wanted || (answering && words.length <= 8)))
    return seconds > longestTimerSeconds
      ? sayOnly('I can only set timers of up to a day.')
      : call('set_timer', { seconds });
  return timer && words.length <= 8 ? sayOnly(askDuration) : undefined;
}

function countPlan(words: readonly string[]): Plan | undefined {
  const at = words.findIndex((word) => isLike(word, 'count') && word !== 'could');
  if (at === -1 || words[at + 1] === 'on') return undefined;
  const rest = words.slice(at + 1);
  const down = rest.includes('down') || rest.includes('backwards');
  const numbers: number[] = [];
  for (let index = 0; index < rest.length;) {
    const word = rest[index] ?? '';
    const joint = [
      'to',
      'too',
      'tu',
      'o',
      'from',
      'until',
      'till',
      'down',
      'for',
      'the',
      'up',
      'a',
      'me',
      'then',
    ].includes(word);
    const number = joint && index < rest.length - 1 ? undefined : readNumber(rest, index);
    if (number) numbers.push(number.value);
    index += number?.length ?? 1;
  }
  if (numbers.length === 0)
    return sayOnly('How far should I count? Say, for example, count to ten.');
  const [first = 1, second] = numbers;
  const from = second === undefined ? (down ? first : 1) : first;
  const to = second ?? (down ? 1 : first);
  const length = Math.abs(to - from) + 1;
  if (length > 30 || ![from, to].every(Number.isInteger))
    return sayOnly('That is a long way to count. Let us stay within thirty numbers.');
  const step = to < from ? -1 : 1;
  const said = Array.from({ length }, (_, index) => sayNumber(from + index * step)).join(', ');
  return sayOnly(`${said.charAt(0).toUpperCase()}${said.slice(1)}.`);
}

function offsetDays(words: readonly string[]): number {
  const after = someLike(words, 'after') ? 1 : 0;
  const before = someLike(words, 'before') ? 1 : 0;
  if (someLike(words, 'tomorrow')) return 1 + after;
  if (someLike(words, 'yesterday')) return -1 - before;
  const forward = words.includes('in') || words.includes('from');
  const back = someLike(words, 'ago');
  if (!forward && !back) return 0;
  for (const [index, word] of words.entries()) {
    const number = word === 'days' || word === 'day' ? readNumber(words, index - 1) : undefined;
    if (number?.length === 1 && !['a', 'an', 'to', 'for'].includes(words[index - 1] ?? ''))
      return back ? -number.value : number.value;
  }
  return 0;
}

function arithmeticPlan(words: readonly string[], past: Past): Plan | undefined {
  const found = spokenArithmetic(words);
  if (!found) return undefined;
  if (!found.continued) return call('calculator', { expression: found.expression });
  if (past.lastResult === undefined)
    return sayOnly('I need a number to begin with. Say, for example, two plus three.');
  return call('calculator', { expression: `( ${past.lastResult} ) ${found.expression}` });
}

function jokePlan(past: Past): Plan {
  return sayOnly(
    freshJoke(past.replied) ??
      'You have heard all the jokes I know. I am sorry, I only have a dozen.',
  );
}

function anotherPlan(past: Past): Plan {
  const before = past.asked.at(-1);
  if (before === undefined) return sayOnly('Another what? Ask me for a joke, for example.');
  return plan(before, {
    asked: past.asked.slice(0, -1),
    replied: past.replied,
    ...(past.lastResult === undefined ? {} : { lastResult: past.lastResult }),
  });
}

function intentPlan(intent: Intent, words: readonly string[], past: Past): Plan {
  switch (intent) {
    case 'time':
      return call('clock');
    case 'date':
    case 'weekday':
    case 'month':
    case 'year':
      return call('calendar', { offsetDays: offsetDays(words) });
    case 'joke':
      return jokePlan(past);
    case 'another':
      return anotherPlan(past);
    case 'repeat':
      return sayOnly(past.replied.at(-1) ?? 'I have not said anything yet.');
    case 'ask-name':
      return call('recall_name');
    case 'forget-name':
      return call('remember_name', { name: '' });
    default:
      return sayOnly(chat[intent] ?? cannot);
  }
}

/** What to do about the user's sentence `text`, given what was said before. */
export function plan(text: string, past: Past): Plan {
  const sentence = mendedWords(text);
  const words = sentence.map(({ word }) => word);
  if (words.length === 0) return sayOnly("I didn't catch that.");
  const name = spokenName(sentence);
  if (name !== undefined) return call('remember_name', { name });
  const sum = readDuration(words) === undefined ? arithmeticPlan(words, past) : undefined;
  const specific = sum ?? timerPlan(words, past) ?? countPlan(words);
  if (specific) return specific;
  const intent = intentOf(words);
  if (intent !== undefined) return intentPlan(intent, words, past);
  const last = past.replied.at(-1);
  return sayOnly(last === cannot || last === cannotEither ? cannotEither : cannot);
}
