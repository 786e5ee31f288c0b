/** Mints short-lived tokens for pages of its own, so that no page ever sees a key. Node alone, no framework. */
import { createServer } from 'node:http';
import { RateLimit } from './rate-limit.mjs';

/** Requests carry nothing; more than this is somebody's mistake. */
const maxBodyBytes = 1024;

/**
 * @param {object} options
 * @param {Record<string, () => import('./vendors.mjs').Minting>} options.vendors by path
 * @param {readonly string[]} options.allowedOrigins pages that may ask, e.g. `https://example.com`
 * @param {number} [options.perMinute] tokens a client may have in a minute; 10 unless given
 * @param {number} [options.timeoutMs] patience with a vendor; 10 000 unless given
 * @param {boolean} [options.trustProxy] whether the last address in `X-Forwarded-For` is the client; false unless given
 * @param {(request: import('node:http').IncomingMessage) => boolean | Promise<boolean>} [options.authorize] your own
 *   login; everybody passes unless given
 * @param {() => number} [options.now] ms
 * @param {(line: string) => void} [options.log] told of method, path and status, never of a token; nobody unless given
 */
export function createTokenServer({
  vendors,
  allowedOrigins,
  perMinute = 10,
  timeoutMs = 10_000,
  trustProxy = false,
  authorize = () => true,
  now = Date.now,
  log = () => {},
}) {
  const origins = new Set(allowedOrigins);
  const limit = new RateLimit(perMinute, now);

  /** @param {import('node:http').IncomingMessage} request */
  const clientOf = (request) => {
    const forwarded = trustProxy ? String(request.headers['x-forwarded-for'] ?? '') : '';
    return forwarded.split(',').at(-1)?.trim() || (request.socket.remoteAddress ?? '');
  };

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {AbortSignal} gone aborts when the client has left
   * @returns {Promise<{ status: number, body?: object, headers?: Record<string, string> }>}
   */
  const answer = async (request, gone) => {
    const origin = request.headers.origin ?? '';
    if (!origins.has(origin)) return refusal(403, 'This page may not ask for tokens.');
    if (request.method === 'OPTIONS')
      return {
        status: 204,
        headers: {
          'access-control-allow-methods': 'POST',
          'access-control-allow-headers': 'authorization, content-type',
          'access-control-max-age': '600',
        },
      };
    const path = (request.url ?? '').replace(/\?.*$/, '');
    const vendor = Object.hasOwn(vendors, path) ? vendors[path] : undefined;
    if (!vendor) return refusal(404, 'There is no such token here.');
    if (request.method !== 'POST') return refusal(405, 'Ask with POST.', { allow: 'POST' });
    const waitSeconds = limit.take(clientOf(request));
    if (waitSeconds > 0)
      return refusal(429, 'Too many tokens.', { 'retry-after': String(waitSeconds) });
    if (!(await isSmall(request))) return refusal(413, 'Send nothing.');
    if (!(await authorize(request))) return refusal(401, 'Log in first.');
    return mint(vendor(), AbortSignal.any([gone, AbortSignal.timeout(timeoutMs)]));
  };

  const server = createServer((request, response) => {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    answer(request, gone.signal)
      .catch(() => refusal(500, 'The token server failed.'))
      .then(({ status, body, headers = {} }) => {
        const origin = request.headers.origin ?? '';
        const cors = origins.has(origin) ? { 'access-control-allow-origin': origin } : {};
        response.writeHead(status, {
          ...headers,
          ...cors,
          ...(body ? { 'content-type': 'application/json' } : {}),
          'cache-control': 'no-store',
          vary: 'origin',
        });
        response.end(body && JSON.stringify(body));
        log(`${request.method} ${(request.url ?? '').replace(/\?.*$/, '')} ${status}`);
      })
      .catch(() => response.destroy());
  });
  server.headersTimeout = 5000;
  server.requestTimeout = 10_000;
  return server;
}

/**
 * @param {number} status
 * @param {string} message
 * @param {Record<string, string>} [headers]
 */
function refusal(status, message, headers = {}) {
  return { status, body: { error: message }, headers };
}

/**
 * Asks the vendor. What it says is not passed on: it may repeat the key.
 *
 * @param {import('./vendors.mjs').Minting} minting
 * @param {AbortSignal} signal
 */
async function mint({ url, headers, body, read }, signal) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body ?? {}),
      signal,
      redirect: 'error',
    });
    if (!response.ok) {
      await response.body?.cancel();
      return refusal(502, `The vendor answered ${response.status}.`);
    }
    const { token, expiresAtMs } = read(await response.json());
    if (typeof token !== 'string' || token === '') return refusal(502, 'The vendor gave no token.');
    return { status: 200, body: { token, ...(expiresAtMs ? { expiresAtMs } : {}) } };
  } catch {
    return signal.aborted
      ? refusal(504, 'The vendor did not answer in time.')
      : refusal(502, 'The vendor could not be reached.');
  }
}

/** @param {import('node:http').IncomingMessage} request */
async function isSmall(request) {
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return false;
  }
  return true;
}
