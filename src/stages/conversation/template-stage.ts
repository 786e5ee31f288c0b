/** Renders the system prompt of each turn; what people say is never touched. */
import { element, type StreamElement } from '../../core/element.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import { renderTemplate } from './template.ts';

/** Settings of {@link TemplateStage}. */
export interface TemplateOptions {
  /** Override the variables of every turn; a function is asked at each rendering (the time of day, say). Default none. */
  readonly variables?:
    | Readonly<Record<string, unknown>>
    | (() => Readonly<Record<string, unknown>>);
}

/**
 * Renders `TurnState.systemTemplate` into `TurnState.systemPrompt` when a message or the end of a turn
 * passes, so that the model sees variables as they are in that turn. Consumes nothing and passes everything on
 * unchanged and at once: what people say, and the values of variables, are never taken for templates. Place it
 * before the provider and behind whatever sets template and variables; without a template it does nothing.
 *
 * Names without a value are left out and reported by one `error` element (`template`, `details.unresolved`) per run
 * and set of names. A `variables` function that throws fails the run. Session-safe.
 *
 * @example
 * builder.chain(prompts, new TemplateStage({ variables: () => ({ hour: new Date().getHours() }) }), provider);
 */
export class TemplateStage implements Stage<never, 'error'> {
  readonly name = 'template';
  readonly type = 'transform';
  readonly session = 'safe';
  readonly consumes: readonly never[] = [];
  readonly emits = ['error'] as const;
  readonly #options: TemplateOptions;

  constructor(options: TemplateOptions = {}) {
    this.#options = options;
  }

  /** Passes everything on; see the class. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const { variables } = this.#options;
    let reported = '';
    for await (const item of input) {
      const turn = context.turn(item.turn);
      if ((item.kind === 'message' || item.kind === 'turn-end') && turn.systemTemplate !== '') {
        const own = typeof variables === 'function' ? variables() : variables;
        const { text, unresolved } = renderTemplate(turn.systemTemplate, {
          ...turn.variables,
          ...own,
        });
        turn.systemPrompt = text;
        const names = unresolved.join(', ');
        if (names !== '' && names !== reported)
          yield element('error', {
            turn: item.turn,
            at: item.at,
            source: this.name,
            error: {
              code: 'template',
              message: `The system template names ${names}, which has no value.`,
              hint: 'Give it a value in the variables of the prompt or of TemplateStage.',
              retryable: false,
              stage: this.name,
              details: { unresolved },
            },
          });
        reported = names;
      }
      yield item;
    }
  }
}
