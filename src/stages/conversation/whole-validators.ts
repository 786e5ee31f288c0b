/** Validators that need the whole text: fields, schemas, and the author's own. */
import { schemaProblems, type JsonSchema } from '../../providers/json-schema.ts';
import type { StandardIssue, StandardSchema } from '../../providers/tools.ts';
import type { ValidationContext, WholeValidator } from './validators.ts';

/** Wants every one of `fields` to appear in the text, word for word. */
export function requiredFields(fields: readonly string[]): WholeValidator {
  return {
    name: 'required-fields',
    check: (text) =>
      fields.filter((field) => !text.includes(field)).map((field) => `“${field}” is missing`),
  };
}

/** Wants the text to be JSON that fits the schema; see `JsonSchema` for what of the standard is known. */
export function jsonSchema(schema: JsonSchema): WholeValidator {
  return {
    name: 'json-schema',
    check: (text) => {
      const parsed = parse(text);
      return 'problem' in parsed
        ? [parsed.problem]
        : [...schemaProblems(schema, parsed.value, 'text')];
    },
  };
}

/** Settings of {@link standardSchema}. */
export interface StandardSchemaOptions {
  /** What is given to the schema: the parsed `json`, or the `text` as it is. Default `json`. */
  readonly as?: 'json' | 'text';
}

/** Wants the text to fit a schema of any library that follows https://standardschema.dev (Zod, Valibot, ArkType…). */
export function standardSchema(
  schema: StandardSchema,
  options: StandardSchemaOptions = {},
): WholeValidator {
  return {
    name: 'standard-schema',
    check: async (text) => {
      const parsed = options.as === 'text' ? { value: text } : parse(text);
      if ('problem' in parsed) return [parsed.problem];
      const { issues } = await schema['~standard'].validate(parsed.value);
      return issues?.map(describe) ?? [];
    },
  };
}

/** A validator of your own; `check` says what is wrong: nothing, one thing or several. A throw counts as a problem. */
export function customValidator(
  name: string,
  check: (text: string, context: ValidationContext) => CustomVerdict | Promise<CustomVerdict>,
): WholeValidator {
  return {
    name,
    check: async (text, context) => {
      const verdict = await check(text, context);
      if (verdict === undefined) return [];
      return typeof verdict === 'string' ? [verdict] : verdict;
    },
  };
}

/** Undefined or an empty list: nothing is wrong. */
export type CustomVerdict = string | readonly string[] | undefined;

function parse(text: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    const value: unknown = JSON.parse(text);
    return { value };
  } catch (error) {
    return { problem: `is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function describe({ message, path }: StandardIssue): string {
  const keys = path?.map((segment) => String(typeof segment === 'object' ? segment.key : segment));
  return keys && keys.length > 0 ? `${keys.join('.')}: ${message}` : message;
}
