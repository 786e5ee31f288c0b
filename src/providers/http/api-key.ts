/** Refuses to use a long-lived key where every visitor can read it. */
import { AntiphonError } from '../../core/errors.ts';
import { isLongLivedKey, querySecrets } from './key-shapes.ts';

/** True when the code runs in a web page or one of its workers. */
export function inBrowser(): boolean {
  return (
    'document' in globalThis || 'importScripts' in globalThis || 'WorkerGlobalScope' in globalThis
  );
}

/**
 * Throws `provider-auth` when `credential` (a token or a header value) looks like a long-lived key of a vendor
 * and the code runs in a browser, where anybody who opens the page could copy it. `address` is where it would be
 * sent: some vendors' keys are known by nothing else.
 */
export function refuseLongLivedKey(
  credential: string,
  allowed: boolean,
  browser: boolean = inBrowser(),
  address: string = '',
): void {
  if (allowed || !browser || !isLongLivedKey(credential, address)) return;
  throw new AntiphonError('provider-auth', 'A long-lived API key may not be used in a web page.', {
    hint:
      'Mint short-lived tokens on your server and pass `token: () => fetch(…)`; for a page only you ' +
      'can open, set `dangerouslyAllowBrowserKey: true`.',
  });
}

/** The same for keys in the query of an address. */
export function refuseKeyInAddress(
  address: string,
  allowed: boolean,
  browser: boolean = inBrowser(),
): void {
  for (const value of querySecrets(address)) refuseLongLivedKey(value, allowed, browser, address);
}
