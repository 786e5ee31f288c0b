/** Tools whose arguments are checked before they run. */
import { AntiphonError } from '../core/errors.ts';
import { schemaProblems, type JsonSchema } from './json-schema.ts';
import {
  answerLater,
  type StandardIssue,
  type StandardSchema,
  type Tool,
  type ToolOptions,
} from './tools.ts';

function isStandard<T>(schema: JsonSchema | StandardSchema<T>): schema is StandardSchema<T> {
  return '~standard' in schema;
}

function argumentError(name: string, problems: readonly string[]): AntiphonError {
  return new AntiphonError('tool', `Wrong arguments for ${name}: ${problems.join('; ')}.`, {
    hint: 'The model is told; it usually corrects the call.',
    details: { tool: name, problems },
  });
}

function issueText({ message, path = [] }: StandardIssue): string {
  const where = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  return where === '' ? message : `${where}: ${message}`;
}

async function checked<T>(options: ToolOptions<T>, args: unknown): Promise<T> {
  const { name, parameters } = options;
  if (isStandard(parameters)) {
    const result = await parameters['~standard'].validate(args);
    if (result.issues) throw argumentError(name, result.issues.map(issueText));
    return result.value;
  }
  const problems = [...schemaProblems({ type: 'object', ...parameters }, args)];
  if (problems.length > 0) throw argumentError(name, problems);
  return args as T;
}

function shownSchema<T>({ name, parameters, jsonSchema }: ToolOptions<T>): JsonSchema {
  if (!isStandard(parameters)) return parameters;
  const shown =
    jsonSchema ?? parameters['~standard'].jsonSchema?.input({ target: 'draft-2020-12' });
  if (shown) return shown;
  throw new AntiphonError('invalid-argument', `The schema of tool ${name} gives no JSON Schema.`, {
    hint: `Pass \`jsonSchema\` too: ${parameters['~standard'].vendor} does not produce one by itself.`,
  });
}

/**
 * Makes a tool. The arguments reach `execute` only after they were checked.
 *
 * @throws `invalid-argument` for a name vendors would refuse or a schema the model could not be shown.
 * @example
 * const weather = defineTool<{ city: string }>({
 *   name: 'weather',
 *   description: 'The weather in a city, now.',
 *   parameters: { properties: { city: { type: 'string' } }, required: ['city'] },
 *   execute: ({ city }, { signal }) => lookUp(city, signal),
 * });
 */
export function defineTool<Arguments = Readonly<Record<string, unknown>>>(
  options: ToolOptions<Arguments>,
): Tool {
  if (!/^[\w-]{1,64}$/.test(options.name))
    throw new AntiphonError('invalid-argument', `"${options.name}" is no name for a tool.`, {
      hint: 'Use letters, digits, _ and -, at most 64.',
    });
  const { permission, timeoutMs, whenInterrupted, filler } = options;
  return {
    name: options.name,
    description: options.description,
    parameters: { type: 'object', ...shownSchema(options) },
    ...(permission === undefined ? {} : { permission }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(whenInterrupted === undefined ? {} : { whenInterrupted }),
    ...(filler === undefined ? {} : { filler }),
    async check(args) {
      await checked(options, args);
    },
    async execute(args, context) {
      const fitting = await checked(options, args);
      return options.execute ? options.execute(fitting, context) : answerLater;
    },
  };
}
