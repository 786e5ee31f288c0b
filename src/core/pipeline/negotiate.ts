/** Audio formats along the edges: a mismatch gets a resampler or fails the build. */
import { graphError } from './check-plan.ts';
import type { FormatGap } from './config.ts';
import type { GraphEdge } from './graph.ts';
import { inputsOf, topological, type Plan } from './plan.ts';
import type { Stage } from '../stage/stage.ts';

interface Given {
  readonly by: string;
  readonly sampleRate: number;
}

/**
 * Follows sample rates through stages that do not change them and puts a resampler on every edge where
 * they do not fit; without `resampler` throws a `graph` error that names both ends.
 */
export function negotiate(plan: Plan, resampler?: (gap: FormatGap) => Stage): Plan {
  const stages = [...plan.stages];
  const edges: GraphEdge[] = [];
  /** What leaves each stage. */
  const given = new Map<string, Given>();
  for (const stage of topological(plan)) {
    const wanted = stage.format?.input?.sampleRate;
    for (const edge of inputsOf(stage.name, plan.edges)) {
      const arriving = given.get(edge.from);
      if (wanted === undefined || !arriving || arriving.sampleRate === wanted) {
        edges.push(edge);
        if (arriving && wanted === undefined) given.set(stage.name, arriving);
        continue;
      }
      if (!resampler)
        throw graphError(
          `"${arriving.by}" gives ${arriving.sampleRate} Hz where "${stage.name}" takes ${wanted} Hz`,
          'Put a resampling stage between them, or configure `resampler`.',
        );
      const name = `resample ${edge.from} to ${edge.to}`;
      stages.push(
        resampler({
          name,
          from: arriving.by,
          to: stage.name,
          fromSampleRate: arriving.sampleRate,
          toSampleRate: wanted,
        }),
      );
      edges.push({ ...edge, to: name }, { from: name, to: edge.to });
    }
    const emitted = stage.format?.output?.sampleRate;
    if (emitted !== undefined) given.set(stage.name, { by: stage.name, sampleRate: emitted });
    else if (wanted !== undefined) given.set(stage.name, { by: stage.name, sampleRate: wanted });
  }
  return { stages, edges, merging: plan.merging };
}
