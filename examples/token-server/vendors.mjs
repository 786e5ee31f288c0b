/** How each vendor mints a short-lived token from a key that never leaves this server. */

/**
 * @typedef {object} Minting
 * @property {string} url
 * @property {Record<string, string>} headers
 * @property {object} [body]
 * @property {(answer: Record<string, unknown>) => { token: unknown, expiresAtMs?: number }} read
 */

/**
 * The vendors whose keys are in `env`, by the path they are asked under. What a session may do is fixed here, not by
 * whoever asks. `*_URL` names another address, for tests and proxies.
 *
 * @param {Record<string, string | undefined>} env
 * @param {() => number} now Unix ms
 * @returns {Record<string, () => Minting>}
 */
export function vendorsFrom(env, now = Date.now) {
  const {
    OPENAI_API_KEY,
    OPENAI_URL = 'https://api.openai.com',
    OPENAI_REALTIME_MODEL,
    GEMINI_API_KEY,
    GEMINI_URL = 'https://generativelanguage.googleapis.com',
    GEMINI_LIVE_MODEL,
    ELEVENLABS_API_KEY,
    ELEVENLABS_URL = 'https://api.elevenlabs.io',
    DEEPGRAM_API_KEY,
    DEEPGRAM_URL = 'https://api.deepgram.com',
  } = env;
  /** @type {Record<string, () => Minting>} */
  const vendors = {};
  if (OPENAI_API_KEY && OPENAI_REALTIME_MODEL)
    vendors['/openai-realtime'] = () => ({
      url: `${OPENAI_URL}/v1/realtime/client_secrets`,
      headers: { authorization: `Bearer ${OPENAI_API_KEY}` },
      // The time to begin a session, not how long it lasts.
      body: {
        expires_after: { anchor: 'created_at', seconds: 60 },
        session: { type: 'realtime', model: OPENAI_REALTIME_MODEL },
      },
      read: ({ value, expires_at: seconds }) => ({
        token: value,
        ...(typeof seconds === 'number' ? { expiresAtMs: seconds * 1000 } : {}),
      }),
    });
  if (GEMINI_API_KEY && GEMINI_LIVE_MODEL)
    vendors['/gemini-live'] = () => ({
      url: `${GEMINI_URL}/v1alpha/auth_tokens`,
      headers: { 'x-goog-api-key': GEMINI_API_KEY },
      body: {
        uses: 1,
        newSessionExpireTime: new Date(now() + 60_000).toISOString(),
        expireTime: new Date(now() + 30 * 60_000).toISOString(),
        bidiGenerateContentSetup: { model: `models/${GEMINI_LIVE_MODEL}` },
        // Without a mask this setup would take the place of all the page sends: prompt, tools, turns.
        fieldMask: 'model',
      },
      // The name is the token.
      read: ({ name }) => ({ token: name, expiresAtMs: now() + 60_000 }),
    });
  if (ELEVENLABS_API_KEY)
    vendors['/elevenlabs-scribe'] = () => ({
      url: `${ELEVENLABS_URL}/v1/single-use-token/realtime_scribe`,
      headers: { 'xi-api-key': ELEVENLABS_API_KEY },
      read: ({ token }) => ({ token }),
    });
  if (DEEPGRAM_API_KEY)
    vendors['/deepgram'] = () => ({
      url: `${DEEPGRAM_URL}/v1/auth/grant`,
      headers: { authorization: `Token ${DEEPGRAM_API_KEY}` },
      body: { ttl_seconds: 30 },
      read: ({ access_token: token, expires_in: seconds }) => ({
        token,
        ...(typeof seconds === 'number' ? { expiresAtMs: now() + seconds * 1000 } : {}),
      }),
    });
  return vendors;
}
