/** What can be set about a pipeline, with its defaults. */
import { AntiphonError } from '../errors.ts';
import type { Stage } from '../stage/stage.ts';
import { wallClock, type Clock } from '../time.ts';

/** A format mismatch between two neighbours that a resampler could bridge. */
export interface FormatGap {
  /** Name the resampler must take. */
  readonly name: string;
  /** The two ends. */
  readonly from: string;
  readonly to: string;
  /** In hertz. */
  readonly fromSampleRate: number;
  readonly toSampleRate: number;
}

/** Settings of a pipeline; every one has a default. */
export interface PipelineConfig {
  /** The most elements that wait on an edge; 32, at least 1. */
  readonly channelBufferSize?: number;
  /** A run in which nothing moves for so long fails with `idle-timeout`; 30 000, in a live session 0, which is off. */
  readonly idleTimeoutMs?: number;
  /** A run may take so long altogether; 0, which is off. */
  readonly executionTimeoutMs?: number;
  /** How long `shutdown()` waits for stages to tear down; 10 000. */
  readonly shutdownTimeoutMs?: number;
  /** `live`: the input stays open for long, so stages that wait for its end are refused. `unary` unless given. */
  readonly session?: 'live' | 'unary';
  /** Makes the stage that bridges two sample rates; without it a mismatch fails the build. */
  readonly resampler?: (gap: FormatGap) => Stage;
  /** The clock that stages see and that idle and execution times are counted by; the realm's own unless given. */
  readonly clock?: Clock;
}

/** A {@link PipelineConfig} with nothing left open. */
export type ResolvedConfig = Required<Omit<PipelineConfig, 'resampler'>> &
  Pick<PipelineConfig, 'resampler'>;

/** Fills in defaults; throws `invalid-argument` naming the setting that makes no sense. */
export function resolveConfig(config: PipelineConfig): ResolvedConfig {
  const session = config.session ?? 'unary';
  const resolved = {
    channelBufferSize: 32,
    idleTimeoutMs: session === 'live' ? 0 : 30_000,
    executionTimeoutMs: 0,
    shutdownTimeoutMs: 10_000,
    clock: wallClock,
    ...withoutUndefined(config),
    session,
  };
  if (!Number.isInteger(resolved.channelBufferSize) || resolved.channelBufferSize < 1)
    throw invalid('channelBufferSize', resolved.channelBufferSize, 'an integer of at least 1');
  for (const name of ['idleTimeoutMs', 'executionTimeoutMs', 'shutdownTimeoutMs'] as const)
    if (!Number.isFinite(resolved[name]) || resolved[name] < 0)
      throw invalid(name, resolved[name], 'milliseconds, 0 or more');
  return resolved;
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, set]) => set !== undefined)) as T;
}

function invalid(name: string, value: unknown, expected: string): AntiphonError {
  return new AntiphonError('invalid-argument', `pipeline config: ${name} is ${String(value)}`, {
    hint: `Give ${expected}.`,
  });
}
