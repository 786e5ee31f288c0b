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
 * they do not fit; without `resampler`, or where several rates come by one edge, throws a `graph` error that
 * names both ends.
 */
export function negotiate(plan: Plan, resampler?: (gap: FormatGap) => Stage): Plan {
  const stages = [...plan.stages];
  const edges: GraphEdge[] = [];
  /** What leaves each stage: one rate, or those of all that was joined into it. */
  const given = new Map<string, readonly Given[]>();
  for (const stage of topological(plan)) {
    const { name: to, format } = stage;
    const wanted = format?.input?.sampleRate;
    const emitted = format?.output?.sampleRate ?? wanted;
    const inputs = inputsOf(to, plan.edges);
    const joined = inputs.flatMap((edge) => given.get(edge.from) ?? []);
    given.set(to, emitted === undefined ? distinct(joined) : [{ by: to, sampleRate: emitted }]);
    for (const edge of inputs) {
      const arriving = given.get(edge.from) ?? [];
      const odd = arriving.find(({ sampleRate }) => sampleRate !== (wanted ?? sampleRate));
      if (wanted === undefined || !odd) {
        edges.push(edge);
        continue;
      }
      if (!resampler || arriving.length > 1)
        throw graphError(
          `"${odd.by}" gives ${odd.sampleRate} Hz where "${to}" takes ${wanted} Hz`,
          `Put a resampling stage behind "${odd.by}"${resampler ? '' : ', or configure `resampler`'}.`,
        );
      const name = `resample ${edge.from} to ${to}`;
      const rates = { fromSampleRate: odd.sampleRate, toSampleRate: wanted };
      stages.push(resampler({ name, from: odd.by, to, ...rates }));
      edges.push({ ...edge, to: name }, { from: name, to });
    }
  }
  return { stages, edges, merging: plan.merging };
}

/** One of each rate. */
function distinct(given: readonly Given[]): Given[] {
  return [...new Map(given.map((one) => [one.sampleRate, one])).values()];
}
