/**
 * What credentials look like. By their beginnings where vendors mark them; by length and alphabet, at the vendor's own
 * address, where they do not. As documented or seen in November 2026; a vendor may change its mind any day.
 */

/**
 * Keys that live long: OpenAI, Anthropic, DeepSeek, OpenRouter, Stability (`sk-`); ElevenLabs, Cartesia (`sk_`); Google
 * (`AIza`, `AQ.`, `GOCSPX-`); Groq, xAI, Hugging Face, NVIDIA, Replicate, Perplexity, Cerebras, Fireworks, Voyage, AWS,
 * GitHub, Slack.
 */
const lasting =
  'sk[-_][\\w-]{16,}|AIza[\\w-]{20,}|AQ\\.[\\w-]{20,}|GOCSPX-[\\w-]{16,}|gsk_\\w{16,}|xai-[\\w-]{16,}|hf_\\w{16,}|' +
  'nvapi-[\\w-]{16,}|r8_\\w{16,}|pplx-\\w{16,}|csk-\\w{16,}|fw_\\w{16,}|pa-[\\w-]{32,}|AKIA[A-Z\\d]{16}|' +
  'gh[opsur]_\\w{16,}|github_pat_\\w{16,}|xox[abprs]-[\\w-]{16,}';

/** Credentials that do not live long, but are nobody's business either. */
const passing =
  'ek_[\\w-]{8,}|auth_tokens/[\\w-]{8,}|ya29\\.[\\w-]{8,}|eyJ[\\w-]{8,}\\.[\\w-]+\\.[\\w-]*|' +
  '(?:sk|pk|rk)[-_][\\w-]{8,}|key[-_][\\w-]{16,}|(?:[Bb]earer|[Bb]asic|BEARER|BASIC)\\s+[\\w.~+/=-]{8,}';

/** Nothing that could belong to the key stands before it. */
const start = '(?<![\\w-])';

const longLived = new RegExp(`${start}(?:${lasting})`);

/** Finds every credential in a text that looks like one. */
export const credentialPattern: RegExp = new RegExp(`${start}(?:${lasting}|${passing})`, 'g');

/** Hosts whose keys say nothing by their beginning, and the shape these have. */
const unmarked: readonly (readonly [host: RegExp, key: RegExp])[] = [
  [/(?:^|\.)mistral\.ai$/, /^[A-Za-z\d]{32}$/],
  [/(?:^|\.)deepgram\.com$/, /^[\da-f]{40}$/],
  [/(?:^|\.)elevenlabs\.io$/, /^[\da-f]{32}$/],
  [/(?:^|\.)assemblyai\.com$/, /^[\da-f]{32}$/],
  [/(?:^|\.)together\.(?:ai|xyz)$/, /^[\da-f]{64}$/],
  [/(?:^|\.)cohere\.(?:ai|com)$/, /^[A-Za-z\d]{40}$/],
  [/(?:^|\.)azure\.com$|(?:^|\.)microsoft\.com$/, /^(?:[\da-f]{32}|[A-Za-z\d]{84})$/],
];

/** The address as a URL; undefined for one that is relative to a page. */
function urlOf(address: string): URL | undefined {
  return URL.canParse(address) ? new URL(address) : undefined;
}

/** True for a key that lives long, or a header or address that carries one; `address`: where it would be sent. */
export function isLongLivedKey(credential: string, address: string = ''): boolean {
  if (longLived.test(credential)) return true;
  const host = urlOf(address)?.hostname ?? '';
  const bare = credential.replace(/^(?:Bearer|Token|Basic)\s+/i, '');
  return unmarked.some(([hosts, key]) => hosts.test(host) && key.test(bare));
}

/** The values in the query of an address that may be secrets: whatever is there but switches and short words. */
export function querySecrets(address: string): string[] {
  const query = /\?([^#]*)/.exec(address)?.[1] ?? '';
  return [...new URLSearchParams(query).entries()]
    .filter(([name, value]) => /key|token|secret|auth|sig|pass/i.test(name) || value.length >= 20)
    .map(([, value]) => value);
}
