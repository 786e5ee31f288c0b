/** Tool results → sentences that sound well when spoken. */
import { recordOf, stringOf } from '../chat/json.ts';
import { intentOf } from './intents.ts';
import { sayNumber } from './number-words.ts';
import { mendedWords } from './repair.ts';
import { sayDate, sayDuration, sayTime, sayYear, type LocalTime } from './spoken-time.ts';

/** A finished call, as the model's history shows it. */
export interface ToolAnswer {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The text of the tool message; JSON unless the tool failed. */
  readonly result: string;
}

const failure = /^Error: (.*)$/s;

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function dateAnswer(question: string, day: LocalTime, offset: number): string {
  const when =
    ['Yesterday was', 'Today is', 'Tomorrow will be'][offset + 1] ??
    (offset > 0 ? 'That will be' : 'That was');
  switch (intentOf(mendedWords(question).map(({ word }) => word))) {
    case 'year':
      return `It is ${sayYear(day.year)}.`;
    case 'month':
      return `It is ${day.month}.`;
    case 'weekday':
    default:
      return `${when} ${sayDate(day)}.`;
  }
}

function timersAnswer(result: unknown): string {
  const running = Array.isArray(result)
    ? result.map((timer) => numberOf(recordOf(timer)['remaining']))
    : [];
  const [next] = running;
  if (next === undefined) return 'There is no timer running.';
  const left = `${sayDuration(next)} left`;
  return running.length === 1
    ? `You have ${left}.`
    : `${capital(sayNumber(running.length))} timers are running, the next has ${left}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function calculationAnswer(value: number): string {
  const exact = Number(value.toFixed(4)) === value;
  return `That is ${exact ? '' : 'about '}${sayNumber(value)}.`;
}

function troubleAnswer(tool: string, why: string): string {
  if (tool !== 'calculator') return 'Sorry, that did not work. Please try again.';
  if (why.includes('division by zero')) return "I can't divide by zero, nobody can.";
  if (why.includes('negative'))
    return 'A negative number has no square root that I could tell you.';
  if (why.includes('too big')) return 'That number is too big for me.';
  return 'I could not work that one out. Say it a little simpler, please.';
}

/** The sentence for a tool's result; `question` is what the user said. */
export function answerFor(
  { tool, arguments: args, result }: ToolAnswer,
  question: string,
  hour12: boolean,
): string {
  const failed = failure.exec(result);
  if (failed) return troubleAnswer(tool, failed[1] ?? '');
  const value: unknown = JSON.parse(result);
  const facts = recordOf(value);
  switch (tool) {
    case 'clock':
      return `It is ${sayTime({ hour: numberOf(facts['hour']), minute: numberOf(facts['minute']) }, hour12)}.`;
    case 'calendar':
      return dateAnswer(question, value as LocalTime, numberOf(args['offsetDays']));
    case 'calculator':
      return calculationAnswer(numberOf(facts['value']));
    case 'set_timer':
      return `${capital(sayDuration(numberOf(facts['seconds'])))}, starting now.`;
    case 'list_timers':
      return timersAnswer(value);
    case 'cancel_timers': {
      const count = numberOf(facts['cancelled']);
      if (count === 0) return 'There is no timer running.';
      return count === 1
        ? 'The timer is cancelled.'
        : `All ${sayNumber(count)} timers are cancelled.`;
    }
    case 'remember_name': {
      const name = stringOf(facts['name']);
      return name === ''
        ? 'I have forgotten your name.'
        : `Nice to meet you, ${name}. I will remember that.`;
    }
    case 'recall_name': {
      const name = stringOf(facts['name']);
      return name === ''
        ? "I don't know your name yet. Tell me by saying, my name is."
        : `Your name is ${name}.`;
    }
    default:
      return result;
  }
}
