/** Shares content out between routes; control reaches all of them. */
import { isControl, type StreamElement } from '../../core/element.ts';
import { AntiphonError } from '../../core/errors.ts';
import { routedTo } from '../../core/stage/routes.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import type { Routing } from './routing.ts';

/** Settings of {@link RouterStage}. */
export interface RouterOptions {
  /** `router` unless given. */
  readonly name?: string;
  /** At least one, each once; usually the names of the stages they lead to. */
  readonly routes: readonly string[];
  /** The rule: `byRule`, `byContent`, `roundRobin`, `weighted`, `hashed`, `atRandom`, `toAll`. */
  readonly routing: Routing;
}

/** Of the elements without a route, the first and each so many-th is told; of unknown routes, so many. */
const reportEvery = 100;

/**
 * Consumes and emits nothing of its own: it marks each content element (`meta.routes`) for the routes its
 * rule names, and the edges take what is marked for them. `build()` asks for one edge per route; an edge
 * is for the route called like the stage it leads to unless it says otherwise. Order is kept per route.
 * Control reaches every route and closes every one of them. A route that is slow makes the router wait
 * only when the next element is for it; give it more `capacity` or an `overflow` of its own if need be.
 *
 * Drops content that its rule gives no route, with an event `element-unrouted` `{ kind, count }` for the
 * first and every hundredth. A route the rule names but the router does not have is skipped, with an event
 * `route-unknown` `{ route }`, once per name for
 * the first hundred names. What the rule throws fails the run. Session-safe.
 *
 * @example
 * const router = new RouterStage({ routes: ['fast', 'careful'], routing: hashed() });
 * new PipelineBuilder().chain(turns, router).add(fast).add(careful).branch('router', 'fast', 'careful')
 */
export class RouterStage implements Stage<never, never> {
  readonly name: string;
  readonly type = 'transform';
  readonly session = 'safe';
  readonly consumes: readonly never[] = [];
  readonly emits: readonly never[] = [];
  readonly routes: readonly string[];
  readonly #routing: Routing;

  /** Throws `invalid-argument` when routes are missing or double, or the rule names others. */
  constructor({ name = 'router', routes, routing }: RouterOptions) {
    if (routes.length === 0 || new Set(routes).size < routes.length)
      throw new AntiphonError('invalid-argument', `${name}: routes are [${routes.join(', ')}]`, {
        hint: 'Give at least one route, and each once.',
      });
    this.name = name;
    this.routes = [...routes];
    this.#routing = routing;
    routing(this.routes);
  }

  /** Marks content; see the class. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const rule = this.#routing(this.routes);
    const unknown = new Set<string>();
    let unrouted = 0;
    for await (const element of input) {
      if (isControl(element)) {
        yield element;
        continue;
      }
      const named = rule(element) ?? [];
      const routes = [...new Set(typeof named === 'string' ? [named] : named)].filter((route) => {
        if (this.routes.includes(route)) return true;
        if (!unknown.has(route) && unknown.size < reportEvery) {
          unknown.add(route);
          context.emit('route-unknown', { route });
        }
        return false;
      });
      if (routes.length > 0) yield routedTo(element, routes);
      else {
        unrouted += 1;
        if (unrouted % reportEvery === 1)
          context.emit('element-unrouted', { kind: element.kind, count: unrouted });
      }
    }
  }
}
