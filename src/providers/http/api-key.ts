/** Refuses to use a long-lived key where every visitor can read it. */
import { AntiphonError } from '../../core/errors.ts';

/** Prefixes of keys that vendors mint to last; short-lived ones (`ek_…`, JWTs, own tokens) pass. */
const longLivedKey =
  /(?:^|\s)(?:sk-[\w-]{16,}|AIza[\w-]{20,}|gsk_\w{16,}|xai-\w{16,}|hf_\w{16,}|nvapi-[\w-]{16,}|r8_\w{16,}|pplx-\w{16,}|csk-\w{16,})/;

/** True when the code runs in a web page or one of its workers. */
export function inBrowser(): boolean {
  return (
    'document' in globalThis || 'importScripts' in globalThis || 'WorkerGlobalScope' in globalThis
  );
}

/**
 * Throws `provider-auth` when `credential` (a token or a header value) looks like a long-lived vendor
 * key and the code runs in a browser, where anybody who opens the page could copy it.
 */
export function refuseLongLivedKey(
  credential: string,
  allowed: boolean,
  browser: boolean = inBrowser(),
): void {
  if (allowed || !browser || !longLivedKey.test(credential)) return;
  throw new AntiphonError('provider-auth', 'A long-lived API key may not be used in a web page.', {
    hint:
      'Mint short-lived tokens on your server and pass `token: () => fetch(…)`; for a page only you ' +
      'can open, set `dangerouslyAllowBrowserKey: true`.',
  });
}
