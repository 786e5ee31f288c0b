/** What a tool is: a function a model may call. `defineTool` makes one. */
import type { JsonSchema } from './json-schema.ts';

/** A tool as the model sees it. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments object. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** `allow`: runs. `ask`: runs when whoever is asked allows it. `deny`: never runs and is not offered. */
export type ToolPermission = 'allow' | 'ask' | 'deny';

/** What a running tool is told about its call. */
export interface ToolContext {
  /** Aborts when the tool is to stop: interrupted, out of time, or the run is over. */
  readonly signal: AbortSignal;
  readonly turn: number;
  readonly callId: string;
  /** Identifies the conversation in a state store. */
  readonly conversation: string;
  /** Ends the turn after the calls of this round: the model is not asked again. */
  stopTurn(): void;
}

/** What a tool returns whose answer comes later, from outside; give it by `answerTool`. */
export const answerLater: unique symbol = Symbol.for('antiphon.answer-later');

/** How a tool wants to be treated; a policy may overrule it. */
export interface ToolConduct {
  /** Default: what the policy says, `allow` unless it says otherwise. */
  readonly permission?: ToolPermission;
  /** Time it has, in ms. Default: the policy's, 30 000 unless it says otherwise. */
  readonly timeoutMs?: number;
  /**
   * When the person interrupts: `abort` it, or let it `finish`, because half of it would be worse; its result is then
   * in the history of the turns that follow. Default `abort`.
   */
  readonly whenInterrupted?: 'abort' | 'finish';
  /** Said when it is slow, instead of the usual words; `false`: nothing is said. */
  readonly filler?: string | false;
}

/** A tool as {@link defineTool} makes it. */
export interface Tool extends ToolDefinition, ToolConduct {
  /**
   * Checks the arguments and does nothing else; so that nobody is asked to allow what could not run.
   *
   * @throws `tool` when they do not fit.
   */
  check?(args: unknown): Promise<void>;
  /**
   * Checks the arguments, runs, and resolves with the result (anything JSON can hold).
   *
   * @throws `tool` when the arguments do not fit; its message tells the model what to change.
   */
  execute(args: unknown, context: ToolContext): Promise<unknown>;
}

/** A schema of any library that follows https://standardschema.dev (Zod, Valibot, ArkType…). */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
    /** The JSON Schema extension of the same standard. */
    readonly jsonSchema?: { readonly input: (options: { readonly target: string }) => JsonSchema };
  };
}

/** What a standard schema says about a value. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One complaint of a standard schema. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What {@link defineTool} takes. */
export interface ToolOptions<Arguments> extends ToolConduct {
  /** Letters, digits, `_` and `-`, at most 64: what every vendor accepts. */
  readonly name: string;
  /** Tells the model what the tool does and when to use it. */
  readonly description: string;
  /** JSON Schema of the arguments object, or a standard schema. */
  readonly parameters: JsonSchema | StandardSchema<Arguments>;
  /** For a standard schema whose library gives no JSON Schema: what the model is shown. */
  readonly jsonSchema?: JsonSchema;
  /**
   * Does the work; a throw becomes an error result for the model. Without it, or when it gives
   * {@link answerLater}, the turn ends with the call open, and goes on when `answerTool` answers it.
   */
  execute?(args: Arguments, context: ToolContext): unknown;
}
