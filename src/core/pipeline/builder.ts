/** Gathers stages and edges, checks them, makes a pipeline. */
import type { Stage } from '../stage/stage.ts';
import { checkPlan } from './check-plan.ts';
import { resolveConfig, type PipelineConfig } from './config.ts';
import type { Chained } from './flow-types.ts';
import type { EdgeOptions } from './graph.ts';
import { negotiate } from './negotiate.ts';
import { Pipeline } from './pipeline.ts';
import { withRoutes, type Plan } from './plan.ts';

/** A branch's stage, alone or with the bounds of the edge to it. */
export type BranchTarget = string | (EdgeOptions & { readonly to: string });

const nothing: Plan = { stages: [], edges: [], merging: new Set() };

/**
 * Builds a {@link Pipeline}. Immutable: every method returns another builder, so that variants can share
 * a beginning. Nothing is checked before `build()`, except that the compiler checks each chain.
 *
 * @example
 * const pipeline = new PipelineBuilder({ session: 'live' })
 *   .chain(microphone, turns, recogniser, provider, voice, speaker)
 *   .branch('provider', 'log')
 *   .add(log)
 *   .build();
 */
export class PipelineBuilder {
  readonly #config: PipelineConfig;
  readonly #plan: Plan;

  /** @param plan what to start from: nothing unless given. */
  constructor(config: PipelineConfig = {}, plan: Plan = nothing) {
    this.#config = config;
    this.#plan = plan;
  }

  /** Adds stages and connects each to the next. A stage that gets nothing it consumes is a compile error. */
  chain<const Stages extends readonly Stage[]>(
    ...stages: Stages & Chained<Stages>
  ): PipelineBuilder {
    const added: readonly Stage[] = stages;
    const edges = added.slice(1).map((stage, index) => ({
      from: added[index]?.name ?? '',
      to: stage.name,
    }));
    return this.#with({
      stages: [...this.#plan.stages, ...added],
      edges: [...this.#plan.edges, ...edges],
    });
  }

  /** Adds a stage without an edge. */
  add(stage: Stage): PipelineBuilder {
    return this.#with({ stages: [...this.#plan.stages, stage] });
  }

  /** Adds an edge between two stages. */
  connect(from: string, to: string, options: EdgeOptions = {}): PipelineBuilder {
    return this.#with({ edges: [...this.#plan.edges, { ...options, from, to }] });
  }

  /**
   * Gives everything that `from` emits to each of `to`, buffers copied. A branch that is slow makes the
   * others wait unless its edge says otherwise: `{ to: 'log', capacity: 256, overflow: 'drop-oldest' }`.
   * An edge may take a part only: `{ to: 'captions', when: (element) => element.kind === 'transcript' }`.
   * A stage with routes (`RouterStage`) gives each edge what it marked for it.
   */
  branch(from: string, ...to: readonly BranchTarget[]): PipelineBuilder {
    const edges = to.map((target) =>
      typeof target === 'string' ? { from, to: target } : { ...target, from },
    );
    return this.#with({ edges: [...this.#plan.edges, ...edges] });
  }

  /** Joins what all of `from` emit, in fair turns, into `into`; the order of each is kept. */
  merge(into: string, ...from: readonly string[]): PipelineBuilder {
    return this.#with({
      edges: [...this.#plan.edges, ...from.map((name) => ({ from: name, to: into }))],
      merging: new Set([...this.#plan.merging, into]),
    });
  }

  /** The same stages and edges under other settings; what is not given stays. */
  configure(config: PipelineConfig): PipelineBuilder {
    return new PipelineBuilder({ ...this.#config, ...config }, this.#plan);
  }

  /**
   * Checks everything and makes the pipeline. Throws `graph` when stages and edges make no sense, and
   * `invalid-argument` when a setting does not.
   */
  build(options: Pick<PipelineConfig, 'session'> = {}): Pipeline {
    const config = resolveConfig({ ...this.#config, ...options });
    const plan = withRoutes(this.#plan);
    checkPlan(plan, config.session);
    return new Pipeline(negotiate(plan, config.resampler), config);
  }

  #with(change: Partial<Plan>): PipelineBuilder {
    return new PipelineBuilder(this.#config, { ...this.#plan, ...change });
  }
}
