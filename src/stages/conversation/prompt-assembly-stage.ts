/** Chooses the prompt of a conversation from a registry of tasks. */
import type { StreamElement } from '../../core/element.ts';
import { AntiphonError } from '../../core/errors.ts';
import type { Stage, StageContext, TurnState } from '../../core/stage/stage.ts';

/** What the model is told for one task. */
export interface Prompt {
  /** System template; `{{name}}` is filled in by TemplateStage. */
  readonly system: string;
  /** Defaults of the template's variables. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Names of the tools the model may use; all unless given. */
  readonly tools?: readonly string[];
}

/** What {@link PromptAssemblyStage} needs. */
export interface PromptAssemblyOptions {
  /** Task → prompt; read anew for every turn, so that a change counts from the next turn on. */
  readonly prompts: Readonly<Record<string, Prompt>>;
  readonly task: string;
  /** Override the prompt's defaults; themselves overridden by what is in the turn already. Default none. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/**
 * Puts template, variables and allowed tools of a task into the `TurnState` of every turn, before its first element
 * passes. Consumes and emits nothing of its own, passes everything on at once, drops nothing. Place it before
 * `VariableProviderStage` and `TemplateStage`, which fill in and render what it chose. A task that has left the
 * registry meanwhile fails the run with `invalid-argument`. Session-safe.
 *
 * @example
 * new PromptAssemblyStage({ prompts: { support: { system: 'You help {{name}}.' } }, task: 'support' })
 */
export class PromptAssemblyStage implements Stage<never, never> {
  readonly name = 'prompt-assembly';
  readonly type = 'transform';
  readonly session = 'safe';
  readonly consumes: readonly never[] = [];
  readonly emits: readonly never[] = [];
  readonly #options: PromptAssemblyOptions;

  /** @throws `invalid-argument` when the registry has no prompt for the task. */
  constructor(options: PromptAssemblyOptions) {
    this.#options = options;
    this.#prompt();
  }

  /** Passes everything on; writes to the turn before its first element passes. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const assembled = new WeakSet<TurnState>();
    for await (const item of input) {
      const turn = context.turn(item.turn);
      if (!assembled.has(turn)) {
        assembled.add(turn);
        const { system, variables, tools } = this.#prompt();
        turn.systemTemplate = system;
        turn.variables = { ...variables, ...this.#options.variables, ...turn.variables };
        turn.allowedTools = tools;
      }
      yield item;
    }
  }

  #prompt(): Prompt {
    const { prompts, task } = this.#options;
    const prompt = Object.hasOwn(prompts, task) ? prompts[task] : undefined;
    if (prompt) return prompt;
    throw new AntiphonError('invalid-argument', `There is no prompt for the task "${task}".`, {
      hint: `Known tasks: ${Object.keys(prompts).join(', ') || 'none'}.`,
      stage: this.name,
      details: { task },
    });
  }
}
