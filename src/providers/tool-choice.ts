/** What a model may be made to call. */
import type { ToolChoice } from './provider.ts';
import type { ToolDefinition } from './tools.ts';

/** The choice as far as the tools on offer allow it; undefined: the model is free. */
export function possibleChoice<C extends ToolChoice>(
  choice: C | undefined,
  offered: readonly ToolDefinition[],
): Exclude<C, 'auto'> | undefined {
  const isPossible =
    typeof choice === 'object'
      ? offered.some(({ name }) => name === choice.name)
      : choice === 'none' || (choice === 'required' && offered.length > 0);
  return isPossible ? (choice as Exclude<C, 'auto'>) : undefined;
}
