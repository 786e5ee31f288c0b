/** Shows what flows between two stages, without samples and without secrets. */
import type { Kind, StreamElement } from '../../core/element.ts';
import { serializeError } from '../../core/errors.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import { snapshot } from './element-snapshot.ts';

/** How loud a log entry is. */
export type DebugLevel = 'debug' | 'info' | 'warn';

/** Where entries go; `console` fits. */
export type DebugLogger = Readonly<
  Record<DebugLevel, (line: string, facts: Readonly<Record<string, unknown>>) => void>
>;

/** Settings of {@link DebugStage}. */
export interface DebugOptions {
  /** Tells several of them apart; part of the stage's name. */
  readonly label: string;
  /** Default `debug`. */
  readonly level?: DebugLevel;
  /** Default `console`. */
  readonly logger?: DebugLogger;
  /** What is logged. Default: every kind but `audio`, of which there are some thirty a second. */
  readonly kinds?: readonly Kind[];
  /** Longest text shown, in UTF-16 units; 0 shows lengths only, for conversations nobody may read. Default 100. */
  readonly previewLength?: number;
}

/**
 * Logs one entry for every element of the chosen kinds and passes everything on, unchanged and at once.
 * Consumes and emits nothing of its own; never drops. Samples and bytes appear as sizes and durations;
 * values of fields called like a secret (`password`, `apiKey`, `authorization`…) and texts that look like
 * one (bearer tokens, `sk-…` keys, JSON web tokens) are masked. Times are ms on the capture clock.
 *
 * A logger that throws is not called again in that run; the event `debug-failed` tells.
 *
 * @example
 * builder.chain(stt, new DebugStage({ label: 'heard' }), provider);
 */
export class DebugStage implements Stage<never, never> {
  readonly name: string;
  readonly type = 'transform';
  readonly session = 'safe';
  readonly consumes: readonly never[] = [];
  readonly emits: readonly never[] = [];
  readonly #options: DebugOptions;
  readonly #kinds: ReadonlySet<Kind> | undefined;

  constructor(options: DebugOptions) {
    this.#options = options;
    this.name = `debug-${options.label}`;
    this.#kinds = options.kinds && new Set(options.kinds);
  }

  /** Passes on what it logged. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const { label, level = 'debug', logger = console, previewLength = 100 } = this.#options;
    let logs = true;
    for await (const item of input) {
      if (logs && (this.#kinds?.has(item.kind) ?? item.kind !== 'audio'))
        try {
          logger[level](`[${label}] ${item.kind}`, snapshot(item, previewLength));
        } catch (error) {
          logs = false;
          context.emit('debug-failed', serializeError(error));
        }
      yield item;
    }
  }
}
