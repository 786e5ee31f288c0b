/** Strict shapes of JSON: what a request may look like, unknown fields refused. */

/** Says what is wrong with a value at `path`; undefined when nothing is. */
export type Shape = (value: unknown, path: string) => string | undefined;

type Fields = Readonly<Record<string, unknown>>;

/** Anything at all. */
export const anything: Shape = () => undefined;

/** A value of a primitive type. */
export function primitive(type: 'string' | 'number' | 'boolean'): Shape {
  return (value, path) => (typeof value === type ? undefined : `${path} is no ${type}`);
}

/** A string that says something. */
export const words: Shape = (value, path) =>
  typeof value === 'string' && value !== '' ? undefined : `${path} is no text`;

/** One of these values. */
export function oneOf(...values: readonly unknown[]): Shape {
  return (value, path) =>
    values.includes(value)
      ? undefined
      : `${path} is ${JSON.stringify(value)}, not ${values.join('|')}`;
}

/** A list, each of whose items has this shape. */
export function listOf(item: Shape, least = 0): Shape {
  return (value, path) => {
    if (!Array.isArray(value)) return `${path} is no list`;
    if (value.length < least) return `${path} has fewer than ${least} items`;
    return firstProblem(value.map((each, index) => () => item(each, `${path}[${index}]`)));
  };
}

/** Exactly these fields; names that end in `?` may be missing. */
export function record(fields: Readonly<Record<string, Shape>>): Shape {
  const known = new Map(
    Object.entries(fields).map(([name, shape]) => [name.replace(/\?$/, ''), shape]),
  );
  return (value, path) => {
    if (!isRecord(value)) return `${path} is no object`;
    const stray = Object.keys(value).find((name) => !known.has(name));
    if (stray !== undefined) return `${path}.${stray} is unknown`;
    const missing = Object.keys(fields).find((name) => !name.endsWith('?') && !(name in value));
    if (missing !== undefined) return `${path}.${missing} is missing`;
    return firstProblem(
      Object.entries(value).map(
        ([name, each]) =>
          () =>
            known.get(name)?.(each, `${path}.${name}`),
      ),
    );
  };
}

/** Any object. */
export const anyRecord: Shape = (value, path) =>
  isRecord(value) ? undefined : `${path} is no object`;

/** An object whose shape depends on the value of `field`. */
export function tagged(field: string, shapes: Readonly<Record<string, Shape>>): Shape {
  return (value, path) => {
    if (!isRecord(value)) return `${path} is no object`;
    const shape = shapes[String(value[field])];
    return shape ? shape(value, path) : `${path}.${field} is ${JSON.stringify(value[field])}`;
  };
}

/** A value that fits one of the shapes; the complaint is that of the last. */
export function either(...shapes: readonly Shape[]): Shape {
  return (value, path) => {
    let problem: string | undefined;
    for (const shape of shapes) {
      problem = shape(value, path);
      if (problem === undefined) return undefined;
    }
    return problem;
  };
}

/** Both, the first complaint wins. */
export function all(...shapes: readonly Shape[]): Shape {
  return (value, path) => firstProblem(shapes.map((shape) => () => shape(value, path)));
}

/** True for an object that is no list. */
export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function firstProblem(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const problem = check();
    if (problem !== undefined) return problem;
  }
  return undefined;
}
