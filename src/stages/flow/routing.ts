/** The rules by which a `RouterStage` shares out content. */
import type { ContentElement, Kind, StreamElement } from '../../core/element.ts';
import { AntiphonError } from '../../core/errors.ts';

/** Where one element goes: no route, one, or several. */
export type RoutingRule = (element: ContentElement) => readonly string[] | string | undefined;

/**
 * Makes the rule of one run, so that runs share no counter. `routes` are those of the router, at least one.
 * Throws `invalid-argument` when it names others.
 */
export type Routing = (routes: readonly string[]) => RoutingRule;

/** A case of {@link byContent}. */
export interface ContentCase {
  readonly when: (element: ContentElement) => boolean;
  readonly to: string;
}

/** Asks `rule` about each element. */
export function byRule(rule: RoutingRule): Routing {
  return () => rule;
}

/** The first case that applies decides; what fits none goes to `otherwise`, or is dropped without it. */
export function byContent(cases: readonly ContentCase[], otherwise?: string): Routing {
  return (routes) => {
    for (const { to } of cases) known(to, routes);
    if (otherwise !== undefined) known(otherwise, routes);
    return (element) => cases.find(({ when }) => when(element))?.to ?? otherwise;
  };
}

/** A predicate for {@link byContent}: the element is of one of `kinds`. */
export function ofKind(...kinds: readonly Kind[]): (element: StreamElement) => boolean {
  const set = new Set(kinds);
  return (element) => set.has(element.kind);
}

/** One route after the other, element by element; see {@link hashed} to keep a turn together. */
export function roundRobin(): Routing {
  return (routes) => {
    let next = 0;
    return () => {
      const route = routes[next];
      next = (next + 1) % routes.length;
      return route;
    };
  };
}

/**
 * By chance, in proportion to `weights` (route → weight, 0 or more, not all 0; a route without one gets
 * nothing).
 *
 * @param random numbers in [0, 1); `Math.random` unless given.
 */
export function weighted(
  weights: Readonly<Record<string, number>>,
  random: () => number = Math.random,
): Routing {
  return (routes) => {
    const entries = Object.entries(weights).filter(([, weight]) => weight !== 0);
    let total = 0;
    for (const [route, weight] of entries) {
      known(route, routes);
      if (!(weight > 0 && Number.isFinite(weight)))
        throw invalid(`the weight of route "${route}" is ${weight}`, 'Give a number of 0 or more.');
      total += weight;
    }
    const last = entries.at(-1)?.[0];
    if (last === undefined) throw invalid('no route has a weight', 'Give at least one above 0.');
    return () => {
      let left = random() * total;
      for (const [route, weight] of entries) {
        left -= weight;
        if (left < 0) return route;
      }
      return last;
    };
  };
}

/** By chance, all alike. @param random numbers in [0, 1); `Math.random` unless given. */
export function atRandom(random: () => number = Math.random): Routing {
  return (routes) => () =>
    routes[Math.min(Math.floor(random() * routes.length), routes.length - 1)];
}

/**
 * Elements with the same key take the same route: FNV-1a (Fowler, Noll and Vo,
 * http://www.isthe.com/chongo/tech/comp/fnv/) of the key, modulo the number of routes. The key is the turn unless given, so that a turn stays together.
 */
export function hashed(
  key: (element: ContentElement) => string = (element) => String(element.turn),
): Routing {
  return (routes) => (element) => routes[fnv1a(key(element)) % routes.length];
}

/** Everything to every route, buffers copied. */
export function toAll(): Routing {
  return (routes) => () => routes;
}

/** 32-bit FNV-1a over the UTF-8 bytes of `text`. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function known(route: string, routes: readonly string[]): void {
  if (!routes.includes(route))
    throw invalid(`there is no route "${route}"`, `Use one of: ${routes.join(', ')}.`);
}

function invalid(message: string, hint: string): AntiphonError {
  return new AntiphonError('invalid-argument', `router: ${message}`, { hint });
}
