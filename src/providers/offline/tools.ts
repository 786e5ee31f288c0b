/** The offline assistant's tools. They are ordinary tools: the stage runs them, any model could call them. */
import { defineTool } from '../define-tool.ts';
import type { Tool } from '../tools.ts';
import { calculate } from './calculator.ts';
import { localTime } from './spoken-time.ts';
import { longestTimerSeconds, type Timers } from './timers.ts';

/** Values that outlive the page, such as a remembered name. */
export interface ValueStore {
  get(key: string): unknown;
  set(key: string, value: unknown): Promise<void> | void;
}

/** What the tools work on. */
export interface ToolResources {
  /** Unix time in ms. */
  readonly now: () => number;
  /** IANA name; the device's own unless given. */
  readonly timeZone?: string;
  readonly timers: Timers;
  readonly values: ValueStore;
}

/** The key of the remembered name in the value store. */
export const nameKey = 'user-name';

const dayMs = 86_400_000;
const none = { type: 'object', properties: {}, additionalProperties: false } as const;

/** The tools, by the names the assistant calls them by. */
export function offlineTools({ now, timeZone, timers, values }: ToolResources): readonly Tool[] {
  return [
    defineTool({
      name: 'clock',
      description: 'The current local time.',
      parameters: none,
      execute: () => localTime(now(), timeZone),
    }),
    defineTool<{ offsetDays: number }>({
      name: 'calendar',
      description: 'The local date, today or a number of days from today.',
      parameters: {
        properties: { offsetDays: { type: 'integer', minimum: -36_500, maximum: 36_500 } },
        required: ['offsetDays'],
      },
      execute: ({ offsetDays }) => localTime(now() + offsetDays * dayMs, timeZone),
    }),
    defineTool<{ expression: string }>({
      name: 'calculator',
      description: 'Evaluates an expression of numbers, + - * / % ^, sqrt and parentheses.',
      parameters: {
        properties: { expression: { type: 'string', minLength: 1, maxLength: 500 } },
        required: ['expression'],
      },
      execute: ({ expression }) => ({ value: calculate(expression) }),
    }),
    defineTool<{ seconds: number }>({
      name: 'set_timer',
      description: 'Starts a timer that rings after some seconds.',
      parameters: {
        properties: {
          seconds: { type: 'number', exclusiveMinimum: 0, maximum: longestTimerSeconds },
        },
        required: ['seconds'],
      },
      execute: ({ seconds }) => timers.set(seconds),
    }),
    defineTool({
      name: 'list_timers',
      description: 'The running timers and the seconds they still have.',
      parameters: none,
      execute: () => timers.list(),
    }),
    defineTool({
      name: 'cancel_timers',
      description: 'Stops all timers.',
      parameters: none,
      execute: () => ({ cancelled: timers.cancelAll() }),
    }),
    defineTool<{ name: string }>({
      name: 'remember_name',
      description: "Stores the user's name; an empty one forgets it.",
      parameters: { properties: { name: { type: 'string', maxLength: 80 } }, required: ['name'] },
      execute: async ({ name }) => {
        await values.set(nameKey, name);
        return { name };
      },
    }),
    defineTool({
      name: 'recall_name',
      description: "The user's name, empty when it is not known.",
      parameters: none,
      execute: async () => {
        const name = await values.get(nameKey);
        return { name: typeof name === 'string' ? name : '' };
      },
    }),
  ];
}
