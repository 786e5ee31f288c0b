/** What a language model is to Antiphon: one method that streams parts. */
import type { FinishReason, Message, ToolCall, Usage } from '../core/element.ts';
import type { ErrorData } from '../core/errors.ts';
import type { Tool, ToolDefinition } from './tools.ts';

export type { ToolDefinition } from './tools.ts';

/** Whether the model may, must or must not call a tool, or must call a certain one. */
export type ToolChoice = 'auto' | 'required' | 'none' | { readonly name: string };

/** One call of the model. */
export interface ProviderRequest {
  /** Rendered system prompt; empty for none. */
  readonly system: string;
  /** Oldest first; never contains a system message. */
  readonly messages: readonly Message[];
  readonly tools: readonly ToolDefinition[];
  /** `auto` unless given. Never `none`: then there are no tools. */
  readonly toolChoice?: Exclude<ToolChoice, 'none'>;
  readonly temperature?: number;
  readonly maxOutputTokens?: number;
}

/** What a model streams. */
export type ProviderPart =
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly text: string }
  | { readonly type: 'tool-call'; readonly call: ToolCall }
  | { readonly type: 'error'; readonly error: ErrorData }
  | { readonly type: 'finish'; readonly reason: FinishReason; readonly usage?: Usage };

/** A language model. Implementations throw AntiphonErrors with `provider-…` codes. */
export interface Provider {
  /** For display and traces, e.g. `openai-compatible:llama3.2`. */
  readonly id: string;
  /** Tools the provider brings along; they are offered and run like the caller's own. */
  readonly tools?: readonly Tool[];
  /** False for a model that calls none: it is then asked without those that others in its place bring along. */
  readonly takesTools?: boolean;
  /** Streams one reply; the last part is `finish`. Breaking off or aborting closes the connection. */
  stream(
    request: ProviderRequest,
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<ProviderPart>;
}
