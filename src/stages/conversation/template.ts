/** `{{name}}` in system templates. */

/** A rendered template and the names nobody had a value for. */
export interface Rendered {
  readonly text: string;
  readonly unresolved: readonly string[];
}

function lookUp(variables: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(variables, name)) return variables[name];
  let value: unknown = variables;
  for (const key of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/**
 * Fills in `{{name}}` and `{{path.to.name}}`; white space inside the braces is allowed. One pass only: a value
 * is never looked at for placeholders, so what a user typed cannot read other variables. A name without a
 * value is left out of the text and reported.
 */
export function renderTemplate(
  template: string,
  variables: Readonly<Record<string, unknown>>,
): Rendered {
  const unresolved = new Set<string>();
  const text = template.replaceAll(/\{\{\s*([\w$.-]+)\s*\}\}/g, (_, name: string) => {
    const value = lookUp(variables, name);
    if (typeof value === 'string') return value;
    if (value !== undefined && value !== null) return JSON.stringify(value);
    unresolved.add(name);
    return '';
  });
  return { text, unresolved: [...unresolved] };
}
