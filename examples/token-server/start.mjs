/** Starts the token server with what the environment says; README.md lists the variables. */
import { createTokenServer } from './token-server.mjs';
import { vendorsFrom } from './vendors.mjs';

const {
  ALLOWED_ORIGINS = '',
  PORT = '8787',
  HOST = '127.0.0.1',
  TRUST_PROXY,
  PER_MINUTE,
} = process.env;
const allowedOrigins = ALLOWED_ORIGINS.split(',')
  .map((origin) => origin.trim())
  .filter((origin) => origin !== '');
const vendors = vendorsFrom(process.env);
const paths = Object.keys(vendors);

if (allowedOrigins.length === 0 || paths.length === 0) {
  console.error(
    allowedOrigins.length === 0
      ? 'Set ALLOWED_ORIGINS to the pages that may ask, e.g. https://example.com'
      : 'Set the key (and the model) of a vendor, e.g. OPENAI_API_KEY and OPENAI_REALTIME_MODEL',
  );
  process.exit(1);
}

const server = createTokenServer({
  vendors,
  allowedOrigins,
  trustProxy: TRUST_PROXY === '1',
  ...(PER_MINUTE === undefined ? {} : { perMinute: Number(PER_MINUTE) }),
  log: console.log,
});
server.listen(Number(PORT), HOST, () => {
  console.log(`Tokens at http://${HOST}:${PORT}${paths.join(' ')} for ${allowedOrigins.join(' ')}`);
});
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    server.close();
    server.closeIdleConnections();
  });
