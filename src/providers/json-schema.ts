/** Checks tool arguments against the subset of JSON Schema that tools use in practice. */

/** A JSON Schema object. Known: type, enum, const, properties, required, additionalProperties, items, sizes, ranges, pattern, anyOf, oneOf, allOf. Others are ignored. */
export type JsonSchema = Readonly<Record<string, unknown>>;

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

function hasType(value: unknown, type: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value);
  return typeOf(value) === type;
}

function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

const isSchema = (value: unknown): value is JsonSchema => typeOf(value) === 'object';

const schemasOf = (value: unknown): readonly JsonSchema[] =>
  Array.isArray(value) ? value.filter(isSchema) : [];

function* sizeProblems(schema: JsonSchema, value: unknown, path: string): Generator<string> {
  const limit = (
    key: string,
    size: number,
    exceeds: (size: number, limit: number) => boolean,
    words: string,
  ): string[] => {
    const bound = schema[key];
    return typeof bound === 'number' && exceeds(size, bound)
      ? [`${path} must ${words} ${bound}`]
      : [];
  };
  const less = (a: number, b: number): boolean => a < b;
  const more = (a: number, b: number): boolean => a > b;
  if (typeof value === 'number') {
    yield* limit('minimum', value, less, 'be at least');
    yield* limit('maximum', value, more, 'be at most');
    yield* limit('exclusiveMinimum', value, (a, b) => a <= b, 'be more than');
    yield* limit('exclusiveMaximum', value, (a, b) => a >= b, 'be less than');
  } else if (typeof value === 'string') {
    yield* limit('minLength', value.length, less, 'have a length of at least');
    yield* limit('maxLength', value.length, more, 'have a length of at most');
    const pattern = schema['pattern'];
    if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(value))
      yield `${path} must match ${pattern}`;
  } else if (Array.isArray(value)) {
    yield* limit('minItems', value.length, less, 'have a length of at least');
    yield* limit('maxItems', value.length, more, 'have a length of at most');
  }
}

function* objectProblems(schema: JsonSchema, value: object, path: string): Generator<string> {
  const properties = isSchema(schema['properties']) ? schema['properties'] : {};
  const required: readonly unknown[] = Array.isArray(schema['required']) ? schema['required'] : [];
  for (const key of required)
    if (typeof key === 'string' && !Object.hasOwn(value, key)) yield `${path}.${key} is missing`;
  for (const [key, item] of Object.entries(value)) {
    const known = Object.hasOwn(properties, key) ? properties[key] : schema['additionalProperties'];
    if (known === false) yield `${path}.${key} is not known`;
    else if (isSchema(known)) yield* schemaProblems(known, item, `${path}.${key}`);
  }
}

/** What is wrong with `value`, in words a model can act on; nothing when it fits. */
export function* schemaProblems(
  schema: JsonSchema,
  value: unknown,
  path = 'arguments',
): Generator<string, void, undefined> {
  const { type } = schema;
  const types: readonly unknown[] = Array.isArray(type) ? type : type === undefined ? [] : [type];
  if (types.length > 0 && !types.some((one) => hasType(value, one))) {
    yield `${path} must be ${types.join(' or ')}, not ${typeOf(value)}`;
    return;
  }
  if (Array.isArray(schema['enum']) && !schema['enum'].some((one) => same(one, value)))
    yield `${path} must be one of ${JSON.stringify(schema['enum'])}`;
  if ('const' in schema && !same(schema['const'], value))
    yield `${path} must be ${JSON.stringify(schema['const'])}`;
  yield* sizeProblems(schema, value, path);
  if (Array.isArray(value) && isSchema(schema['items']))
    for (const [index, item] of value.entries())
      yield* schemaProblems(schema['items'], item, `${path}[${index}]`);
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    yield* objectProblems(schema, value, path);
  for (const part of schemasOf(schema['allOf'])) yield* schemaProblems(part, value, path);
  for (const key of ['anyOf', 'oneOf']) {
    const choices = schemasOf(schema[key]);
    const fitting = choices.filter((choice) => schemaProblems(choice, value, path).next().done);
    if (choices.length > 0 && (fitting.length === 0 || (key === 'oneOf' && fitting.length > 1)))
      yield `${path} must fit ${key === 'oneOf' ? 'exactly ' : ''}one of ${choices.length} schemas`;
  }
}
