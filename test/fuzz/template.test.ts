/** Templates of any shape, with any values, rendered once and in a conversation. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { element, messageText, textMessage } from '../../src/core/element.ts';
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import { renderTemplate } from '../../src/stages/conversation/template.ts';
import { TemplateStage } from '../../src/stages/conversation/template-stage.ts';
import { runs } from './runs.ts';

const name = fc.constantFrom(
  'name',
  'a',
  'a.b',
  'a.b.c',
  'a.length',
  'long-name',
  '$x',
  'größe',
  'constructor',
  '__proto__',
);
/** Text that says nothing to a template, but looks as if. */
const plain = fc.oneof(
  fc.constantFrom('{', '}', '{ {name}}', '{{}}', '{{ }}', '{{two words}}', '$&', '$1', '\\{{'),
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.replaceAll('{{', '{')),
);
const flat = fc.oneof(
  fc.constantFrom('{{name}}', '{{secret}}', '$&', '', '}}', '{{'),
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.array(fc.integer(), { maxLength: 3 }),
);
const value = fc.oneof(
  flat,
  fc.record({ b: fc.oneof(flat, fc.record({ c: flat })) }),
  fc.record({ 'b.c': flat }),
);
const variables = fc.dictionary(
  fc.constantFrom('name', 'a', 'a.b', 'long-name', '$x', 'größe', 'secret'),
  value,
  { noNullPrototype: false },
);
const space = fc.constantFrom('', ' ', '\n', '  ');
const placeholder = fc.record({ name, before: space, after: space });
const segments = fc.array(fc.oneof(plain, placeholder), { maxLength: 12 });

/** Literals are kept apart from placeholders, so that no brace joins another. */
const templateOf = (
  parts: readonly (string | { name: string; before: string; after: string })[],
): string =>
  parts
    .map((part) =>
      typeof part === 'string' ? part : `{{${part.before}${part.name}${part.after}}}`,
    )
    .join('|');

const inserted = (value: unknown): string | undefined =>
  typeof value === 'string'
    ? value
    : value === undefined || value === null
      ? undefined
      : JSON.stringify(value);

/** The value of a name, which may be a path into the values; a whole name goes before. */
const found = (variables: unknown, path: readonly string[]): unknown => {
  const [key, ...rest] = path;
  if (key === undefined) return variables;
  if (typeof variables !== 'object' || variables === null || !Object.hasOwn(variables, key))
    return undefined;
  return found((variables as Record<string, unknown>)[key], rest);
};

describe('a template', () => {
  it('is its text with each named value in its place, once, and every missing name reported once', () => {
    fc.assert(
      fc.property(segments, variables, (parts, variables) => {
        const { text, unresolved } = renderTemplate(templateOf(parts), variables);
        const known = (name: string): string | undefined =>
          inserted(
            Object.hasOwn(variables, name) ? variables[name] : found(variables, name.split('.')),
          );
        expect(text).toBe(
          parts
            .map((part) => (typeof part === 'string' ? part : (known(part.name) ?? '')))
            .join('|'),
        );
        const missing = parts.flatMap((part) =>
          typeof part !== 'string' && known(part.name) === undefined ? [part.name] : [],
        );
        expect(unresolved).toEqual([...new Set(missing)]);
      }),
      runs(),
    );
  });

  it('of any text at all is rendered without a throw, and without names stays as it is', () => {
    const messy = fc
      .array(fc.constantFrom('{', '{{', '}', '}}', ' ', 'name', '.', '-', '\n', '{{{{'), {
        maxLength: 200,
      })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(messy, variables, (template, variables) => {
        const { text, unresolved } = renderTemplate(template, variables);
        if (!/\{\{\s*[\w$.-]+\s*\}\}/.test(template)) {
          expect(text).toBe(template);
          expect(unresolved).toEqual([]);
        }
      }),
      runs(),
    );
  });
});

describe('TemplateStage', () => {
  it('renders each turn by itself, touches no word of anybody, and passes all on in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        segments,
        fc.array(fc.record({ variables, says: fc.string() }), { maxLength: 6 }),
        async (parts, turns) => {
          const template = templateOf(parts);
          const prompts: string[] = [];
          let asked = 0;
          const pipeline = new PipelineBuilder({ session: 'live' })
            .chain(new TemplateStage({ variables: () => turns[asked++]?.variables ?? {} }), {
              name: 'look',
              type: 'sink',
              consumes: [],
              emits: [],
              async *process(input, context) {
                for await (const one of input) {
                  if (one.kind === 'message') prompts.push(context.turn(one.turn).systemPrompt);
                  yield one;
                }
              },
            })
            .build();
          const run = pipeline.execute(
            turns.map(({ says }, index) =>
              element('message', { message: textMessage('user', says), turn: index + 1 }),
            ),
            { turn: { systemTemplate: template } },
          );
          const said: string[] = [];
          for await (const one of run)
            if (one.kind === 'message') said.push(messageText(one.message));
          expect(said).toEqual(turns.map(({ says }) => says));
          expect(prompts).toEqual(
            turns.map(({ variables }) =>
              template === '' ? '' : renderTemplate(template, variables).text,
            ),
          );
        },
      ),
      runs(),
    );
  });
});
