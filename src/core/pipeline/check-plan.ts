/** Everything `build()` refuses, each with the names it is about and what to do. */
import { overflowPolicies } from '../channel/channel.ts';
import { AntiphonError } from '../errors.ts';
import { inputsOf, outputsOf, topological, type Plan } from './plan.ts';

/** Throws a `graph` error for the first thing that is wrong with `plan`. */
export function checkPlan(plan: Plan, session: 'live' | 'unary'): void {
  const { stages, edges, merging } = plan;
  if (stages.length === 0)
    throw graphError('the pipeline has no stages', 'Add at least one stage.');
  const names = new Set<string>();
  for (const { name } of stages) {
    if (names.has(name))
      throw graphError(`two stages are called "${name}"`, 'Give each stage a name of its own.');
    names.add(name);
  }
  const seen = new Set<string>();
  const known = (name: string, who: string): void => {
    if (!names.has(name))
      throw graphError(
        `${who} names the unknown stage "${name}"`,
        `Add it, or use one of: ${[...names].join(', ')}.`,
      );
  };
  for (const edge of edges) {
    const { from, to, capacity = 1, overflow = 'wait' } = edge;
    const called = `the edge from "${from}" to "${to}"`;
    for (const name of [from, to]) known(name, called);
    const ends = JSON.stringify([from, to]);
    if (seen.has(ends)) throw graphError(`${called} is given twice`, 'Remove one of them.');
    seen.add(ends);
    if (!Number.isInteger(capacity) || capacity < 1 || !overflowPolicies.includes(overflow))
      throw graphError(
        `${called} has capacity ${capacity} and overflow "${overflow}"`,
        `Give an integer of at least 1, and one of: ${overflowPolicies.join(', ')}.`,
      );
  }
  for (const name of merging) known(name, 'a merge');
  checkCycles(plan);
  for (const { name, source, session: needs, merges, routes } of stages) {
    checkRoutes(name, routes, plan);
    const inputs = inputsOf(name, edges);
    const first = inputs[0];
    if (inputs.length > 1 && !merges && !merging.has(name))
      throw graphError(
        `"${name}" has several inputs: ${inputs.map((edge) => `"${edge.from}"`).join(', ')}`,
        `Say that they are to be merged: .merge('${name}', ...).`,
      );
    if (source && first)
      throw graphError(
        `"${name}" is a source and takes no input, yet "${first.from}" leads to it`,
        'Put it first, or merge both behind it.',
      );
    if (stages.length > 1 && inputs.length === 0 && outputsOf(name, edges).length === 0)
      throw graphError(
        `"${name}" is connected to nothing`,
        `Put it in a chain, or connect it: .connect('…', '${name}').`,
      );
    if (session === 'live' && needs === 'unary')
      throw graphError(
        `"${name}" waits for its input to close and would be silent in a live session`,
        "Take it out, use one that works turn by turn, or build with session 'unary'.",
      );
  }
}

function checkRoutes(name: string, routes: readonly string[] | undefined, plan: Plan): void {
  const outputs = outputsOf(name, plan.edges);
  const known = routes?.map((route) => `"${route}"`).join(', ');
  const odd = outputs.find(({ route }) => route !== undefined && !routes?.includes(route));
  if (odd)
    throw graphError(
      `the edge from "${name}" to "${odd.to}" is for the route "${odd.route}", which "${name}" does not have`,
      known === undefined
        ? 'Leave the route out, or start the edge at a RouterStage.'
        : `Give it one of its routes: { to: '${odd.to}', route: … } with ${known}.`,
    );
  const open = routes?.find((route) => !outputs.some((edge) => edge.route === route));
  if (open !== undefined)
    throw graphError(
      `the route "${open}" of "${name}" leads nowhere`,
      `Add an edge for it: .branch('${name}', { to: '…', route: '${open}' }).`,
    );
}

function checkCycles(plan: Plan): void {
  const ordered = new Set(topological(plan).map((stage) => stage.name));
  const left = plan.edges.filter((edge) => !ordered.has(edge.from) && !ordered.has(edge.to));
  const start = left[0];
  if (!start) return;
  // Every stage that is left has an input that is left: walking back must meet itself.
  const path = [start.from];
  for (;;) {
    const at = path[0];
    const back = left.find((edge) => edge.to === at)?.from;
    if (back === undefined) break;
    const met = path.indexOf(back);
    path.unshift(back);
    if (met < 0) continue;
    const cycle = path.slice(0, met + 2).join(' → ');
    throw graphError(`the pipeline is cyclic: ${cycle}`, 'Remove one of these edges.');
  }
}

/** An error of code `graph`. */
export function graphError(message: string, hint: string): AntiphonError {
  return new AntiphonError('graph', `${message}. ${hint}`, { hint });
}
