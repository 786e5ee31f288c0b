/** The mark by which a stage that shares out its content says which of its edges an element takes. */
import type { StreamElement } from '../element.ts';

const mark = 'routes';

/** A copy of `element` (its buffers are shared) that takes the edges for `routes`, and no others. */
export function routedTo<E extends StreamElement>(element: E, routes: readonly string[]): E {
  return { ...element, meta: { ...element.meta, [mark]: routes } };
}

/** The routes that `element` was last marked for (`meta.routes`); none without a mark. */
export function routesOf(element: StreamElement): readonly string[] {
  const routes = element.meta?.[mark];
  return Array.isArray(routes) ? routes : [];
}

/** Whether content takes the edge for `route`. */
export function takesRoute(element: StreamElement, route: string): boolean {
  return routesOf(element).includes(route);
}
