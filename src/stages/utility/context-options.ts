/** The options of `ContextBuilderStage` and where their defaults are. */
import type { Message } from '../../core/element.ts';

/** What is to be summarised. */
export interface SummaryRequest {
  /** The summary of what came before `messages`, to be part of the new one; empty for none. */
  readonly previous: string;
  /** Oldest first. */
  readonly messages: readonly Message[];
  /** How long the summary may be. */
  readonly maxTokens: number;
  /** Aborts when the reply is interrupted. */
  readonly signal: AbortSignal;
}

/** What is to be scored. */
export interface RelevanceRequest {
  /** What the user said last. */
  readonly query: string;
  /** The texts of earlier exchanges, oldest first. */
  readonly texts: readonly string[];
  /** Aborts when the reply is interrupted. */
  readonly signal: AbortSignal;
}

/** How much a model is shown, and what goes when it is too much. */
export interface ContextBuilderOptions {
  /** The model's window, in tokens; 0 or less: unlimited. */
  readonly maxTokens: number;
  /** Kept free for the answer and the definitions of tools, in tokens. Default 1024. */
  readonly reserveForOutput?: number;
  /** Default `oldest`. See `ContextBuilderStage`. */
  readonly strategy?: 'oldest' | 'summarise' | 'relevance' | 'fail';
  /** For `summarise`: gives the summary, at most `maxTokens` long. */
  readonly summarise?: (request: SummaryRequest) => Promise<string>;
  /** For `relevance`: one score per text, higher is more relevant; cosines of embeddings, say. */
  readonly score?: (request: RelevanceRequest) => Promise<readonly number[]>;
  /** For `relevance`: what scores lower is left out even where there is room. Default 0. */
  readonly minScore?: number;
  /** For `relevance`: so many of the newest messages are kept whatever their score. Default 3. */
  readonly minRecent?: number;
  /** Tokens of a message. Default an estimate from its words, parts and tool calls. */
  readonly countTokens?: (message: Message) => number;
  /** Tokens of the system prompt. Default an estimate from its words. */
  readonly countTextTokens?: (text: string) => number;
}
