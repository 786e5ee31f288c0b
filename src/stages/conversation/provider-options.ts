/** What a provider stage can be given. */
import type { Provider, ToolChoice } from '../../providers/provider.ts';
import type { ToolFillerOptions } from '../../providers/tool-filler.ts';
import type { ToolPolicy } from '../../providers/tool-policy.ts';
import type { Tool } from '../../providers/tools.ts';

/** What `ProviderStage` needs. */
export interface ProviderStageOptions {
  /** The model; a function is asked at each turn, so that it can be exchanged in a running conversation. */
  readonly provider: Provider | (() => Provider);
  /** Tools besides those the provider brings along; one of the same name wins. */
  readonly tools?: readonly Tool[] | (() => readonly Tool[]);
  /** Permissions, approval and limits of the tools. Default: all are allowed, within the usual limits. */
  readonly toolPolicy?: ToolPolicy;
  /** For the first question of each turn; the model is free afterwards. Default `auto`. */
  readonly toolChoice?: ToolChoice;
  /** Words said while a slow tool runs. They are spoken and belong to no message. Default none. */
  readonly filler?: ToolFillerOptions;
  /**
   * Asked for when a turn whose calls were answered later can go on, instead of going on in the newest turn: send a
   * `turn-end` of a turn of its own through the pipeline.
   */
  readonly resume?: () => void;
  /** Messages of the past the model is shown, and this run keeps. Default 100. */
  readonly maxHistoryMessages?: number;
  readonly temperature?: number;
  readonly maxOutputTokens?: number;
}
