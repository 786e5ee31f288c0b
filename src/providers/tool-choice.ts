/** What a model may be made to call. */
import type { ToolChoice } from './provider.ts';
import type { ToolDefinition } from './tools.ts';

/** The choice as far as the tools on offer allow it; undefined: the model is free. */
export function possibleChoice(
  choice: ToolChoice | undefined,
  offered: readonly ToolDefinition[],
): Exclude<ToolChoice, 'auto'> | undefined {
  if (choice === undefined || choice === 'auto') return undefined;
  if (choice === 'none') return choice;
  if (choice === 'required') return offered.length > 0 ? choice : undefined;
  return offered.some(({ name }) => name === choice.name) ? choice : undefined;
}
