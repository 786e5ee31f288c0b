/** What a builder has gathered: stages with their edges. */
import type { Stage } from '../stage/stage.ts';
import type { Graph, GraphEdge } from './graph.ts';

/** Stages and edges of a pipeline, in the order they were given. */
export interface Plan {
  readonly stages: readonly Stage[];
  readonly edges: readonly GraphEdge[];
  /** Stages that may have several inputs. */
  readonly merging: ReadonlySet<string>;
}

/** The plan with every edge that leaves a stage with routes saying which it is for. */
export function withRoutes(plan: Plan): Plan {
  const routed = new Set(plan.stages.flatMap(({ name, routes }) => (routes ? [name] : [])));
  const edges = plan.edges.map((edge) =>
    routed.has(edge.from) ? { route: edge.to, ...edge } : edge,
  );
  return { ...plan, edges };
}

/** The plan without its behaviour. */
export function graphOf({ stages, edges }: Plan): Graph {
  return {
    nodes: stages.map(({ name, type, thread = 'page', consumes, emits }) => ({
      name,
      type,
      thread,
      consumes: [...consumes],
      emits: [...emits],
    })),
    edges: edges.map(asData),
  };
}

/** An edge without its condition, which is code. */
function asData(edge: GraphEdge): GraphEdge {
  return Object.fromEntries(
    Object.entries(edge).filter(([name]) => name !== 'when'),
  ) as object as GraphEdge;
}

/** Stages in an order in which every edge points forward; the ones on a cycle are missing. */
export function topological({ stages, edges }: Plan): Stage[] {
  const waiting = new Map(stages.map(({ name }) => [name, inputsOf(name, edges).length]));
  const ordered: Stage[] = [];
  let ready = stages.filter(({ name }) => waiting.get(name) === 0);
  while (ready.length > 0) {
    ordered.push(...ready);
    const freed = new Set<string>();
    for (const { from, to } of edges) {
      if (!ready.some((stage) => stage.name === from)) continue;
      const left = (waiting.get(to) ?? 0) - 1;
      waiting.set(to, left);
      if (left === 0) freed.add(to);
    }
    ready = stages.filter(({ name }) => freed.has(name));
  }
  return ordered;
}

/** The edges that lead to `name`. */
export function inputsOf(name: string, edges: readonly GraphEdge[]): GraphEdge[] {
  return edges.filter((edge) => edge.to === name);
}

/** The edges that leave `name`. */
export function outputsOf(name: string, edges: readonly GraphEdge[]): GraphEdge[] {
  return edges.filter((edge) => edge.from === name);
}
