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

/** A value as it stands in a text: as in JSON, but a text, a date and the like without quotes. */
function shown(value: unknown): string | undefined {
  const json = value === null ? undefined : JSON.stringify(value);
  return json?.startsWith('"') ? String(JSON.parse(json)) : json;
}

/**
 * Fills in `{{name}}` and `{{path.to.name}}`: letters, digits, `_`, `$` and `-`; white space inside the braces is
 * allowed. One pass only: a value is never looked at for placeholders, so what a user typed cannot read other
 * variables. A name without a value is left out of the text and reported.
 */
export function renderTemplate(
  template: string,
  variables: Readonly<Record<string, unknown>>,
): Rendered {
  const unresolved = new Set<string>();
  const text = template.replaceAll(
    /\{\{\s*([\p{L}\p{M}\p{N}_$.-]+)\s*\}\}/gu,
    (_, name: string) => {
      const value = shown(lookUp(variables, name));
      if (value === undefined) unresolved.add(name);
      return value ?? '';
    },
  );
  return { text, unresolved: [...unresolved] };
}
