/** CORS as strict vendors do it: a preflight that asks for a header they do not list is refused. */
import type { ServerResponse } from 'node:http';

/** Headers that tell a page it may read the answer, for any origin. */
export const readableByPages: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': '*',
};

/**
 * Answers a preflight. Returns the headers that are not in `allowed` (lower-case names); with any of
 * them the answer is a refusal, and the browser will report a network error.
 */
export function answerPreflight(
  headers: Readonly<Record<string, string>>,
  allowed: readonly string[],
  response: ServerResponse,
): string[] {
  const stray = (headers['access-control-request-headers'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && !allowed.includes(name));
  if (stray.length > 0) response.writeHead(403).end();
  else
    response
      .writeHead(204, {
        ...readableByPages,
        'access-control-allow-methods': 'POST, GET, DELETE',
        'access-control-allow-headers': allowed.join(', '),
        // Chrome asks before a page of another address space may reach the loopback interface.
        'access-control-allow-private-network': 'true',
        'access-control-max-age': '0',
      })
      .end();
  return stray;
}
