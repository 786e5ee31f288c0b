/** Plays elements through stages in a built pipeline: all at once, or as a live session. */
import { channel } from '../../src/core/channel/channel.ts';
import type { Kind, StreamElement } from '../../src/core/element.ts';
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import type { PipelineConfig } from '../../src/core/pipeline/config.ts';
import type { Pipeline } from '../../src/core/pipeline/pipeline.ts';
import type { PipelineRun, RunOptions } from '../../src/core/pipeline/run.ts';
import type { Stage, StageEvent } from '../../src/core/stage/stage.ts';

/** A chain as a pipeline; the compiler's check of what feeds what is left to tests of its own. */
export function chained(stages: readonly Stage[], config: PipelineConfig = {}): Pipeline {
  return new PipelineBuilder(config).chain(...stages).build();
}

/** What comes out of `stages` for `inputs`, without the closing `end`. */
export async function once(
  stages: readonly Stage[],
  inputs: Iterable<StreamElement>,
  options: RunOptions = {},
): Promise<StreamElement[]> {
  const outputs: StreamElement[] = [];
  const run = chained(stages).execute(inputs, options);
  for await (const one of run) if (one.kind !== 'end') outputs.push(one);
  return outputs;
}

/** A session under way. */
export interface Session {
  readonly run: PipelineRun;
  /** What came out so far. */
  readonly outputs: readonly StreamElement[];
  readonly events: readonly StageEvent[];
  /** Gives elements to the input, in line. */
  push(...elements: readonly StreamElement[]): void;
  /** Resolves when `enough` holds of what came out or was told; rejects when the run ends before. */
  until(enough: (outputs: readonly StreamElement[]) => boolean): Promise<void>;
  /** Resolves when so many elements of `kind` have come out. */
  untilKind(kind: Kind, count?: number): Promise<void>;
  /** Closes the input and resolves with everything that came out. */
  end(): Promise<readonly StreamElement[]>;
  /** Ends the run at once. */
  close(): Promise<void>;
}

/** Starts `stages` as a live session. */
export function live(
  stages: readonly Stage[] | Pipeline,
  options: RunOptions & { readonly config?: PipelineConfig } = {},
): Session {
  const { config, ...rest } = options;
  const pipeline = 'graph' in stages ? stages : chained(stages, { session: 'live', ...config });
  const { writer, reader } = channel<StreamElement>({ capacity: 4096 });
  const run = pipeline.execute(reader, rest);
  const outputs: StreamElement[] = [];
  const events: StageEvent[] = [];
  const checks = new Set<() => void>();
  run.on((event) => {
    events.push(event);
    for (const check of checks) check();
  });
  const reading = (async () => {
    for await (const one of run) {
      outputs.push(one);
      for (const check of checks) check();
    }
  })();
  reading.catch(() => {});
  const until: Session['until'] = (enough) =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (!enough(outputs)) return;
        checks.delete(check);
        resolve();
      };
      checks.add(check);
      reading.then(
        () => reject(new Error(`over after ${outputs.map(({ kind }) => kind).join(' ')}`)),
        reject,
      );
      check();
    });
  return {
    run,
    outputs,
    events,
    push(...elements) {
      for (const one of elements) writer.offer(one);
    },
    until,
    untilKind: (kind, count = 1) =>
      until((all) => all.filter((one) => one.kind === kind).length >= count),
    async end() {
      writer.close();
      await reading;
      return outputs;
    },
    close: () => run.close(),
  };
}
