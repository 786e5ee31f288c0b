/** Where a stage may run, and how a suite runs one there: the same way everywhere, by name and plain options. */
import type { StreamElement } from '../../src/core/element.ts';
import { inWorker, type WorkerStage } from '../../src/core/stage/remote-stage.ts';
import { runStage, type RunStageOptions, type StageRun } from '../../src/testing/run-stage.ts';
import { stages, type StageName } from './stages.ts';

/** What a factory of `stages` is given. */
type OptionsOf<Name extends StageName> =
  Parameters<(typeof stages)[Name]> extends [infer Options] ? Options : Record<string, never>;

/** A realm. */
export interface Realm {
  readonly name: 'node' | 'page' | 'worker';
  /** Runs the stage that `stages` makes under this name, in a pipeline of its own. */
  run<Name extends StageName>(
    name: Name,
    options: OptionsOf<Name>,
    inputs: Iterable<StreamElement> | AsyncIterable<StreamElement>,
    runOptions?: RunStageOptions,
  ): Promise<StageRun>;
  /** Gives back what it holds. */
  close(): void;
}

/** The realm of the test itself. */
export function ownRealm(name: 'node' | 'page'): Realm {
  return {
    name,
    run: (stage, options, inputs, runOptions) =>
      runStage(stages[stage](options as never), inputs, runOptions),
    close: () => undefined,
  };
}

const sources: ReadonlySet<StageName> = new Set<StageName>(['generate', 'where']);

/** A worker, one for everything that is run in it. */
export function workerRealm(): Realm {
  const create = (): Worker =>
    new Worker(new URL('./stages.worker.ts', import.meta.url), { type: 'module' });
  let last: WorkerStage | undefined;
  return {
    name: 'worker',
    run(stage, options, inputs, runOptions) {
      last = inWorker(create, stage, options, {
        keepAlive: true,
        ...(sources.has(stage) ? { source: true } : {}),
      });
      return runStage(last, inputs, runOptions);
    },
    close: () => last?.close(),
  };
}
