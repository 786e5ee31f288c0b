/** What the realtime providers have in common: the options of every vendor, checked, and the patience with its server. */
import { AntiphonError } from '../../core/errors.ts';
import type { RetryPolicy } from '../http/retry.ts';
import type { WebSocketClass } from './json-socket.ts';
import { checkServer } from './realtime-token.ts';
import type { RealtimeProvider, RealtimeRecipe, RealtimeToken } from './realtime.ts';

/** Settings every vendor's sessions have; they survive structured clone. */
export interface RealtimeSettings {
  /** The vendor's name of the model. */
  readonly model: string;
  /** Until the server has accepted the session, in ms. Default 10 000. */
  readonly connectTimeoutMs?: number;
  /** Trying to connect, again too: 5 attempts from 500 ms on unless given. */
  readonly reconnect?: RetryPolicy;
  /** Allows a long-lived key in a page only you can open. */
  readonly dangerouslyAllowBrowserKey?: boolean;
}

/** What can't be posted. */
export interface RealtimeFunctions {
  /** Gives an ephemeral token that your server minted; asked before every connection. */
  readonly token: RealtimeToken;
  /** A WebSocket class where the realm has none (Node 20). */
  readonly webSocket?: WebSocketClass;
}

/** One vendor. */
export interface RealtimeVendor extends Pick<
  RealtimeProvider,
  | 'inputSampleRate'
  | 'outputSampleRate'
  | 'turnDetection'
  | 'finalTranscripts'
  | 'takesToolChoice'
  | 'connect'
> {
  readonly vendor: RealtimeRecipe['vendor'];
  /** Of the function that makes the provider. */
  readonly name: string;
  /** Before the model in the id. */
  readonly family: string;
  /** A model, as an example. */
  readonly example: string;
  readonly server: string;
}

/**
 * The provider of these options.
 *
 * @throws AntiphonError `invalid-argument` without `model` or `token`; `provider-auth` for a server's address with a key
 *   that lives long, in a page
 */
export function realtimeProvider(
  options: RealtimeSettings & RealtimeFunctions,
  { vendor, name, family, example, server, ...facts }: RealtimeVendor,
): RealtimeProvider {
  const { token, webSocket: _webSocket, ...settings } = options;
  const { model, reconnect } = settings;
  if (typeof model !== 'string' || model === '')
    throw new AntiphonError('invalid-argument', `${name} needs a \`model\`.`, {
      hint: `For example model: '${example}'.`,
    });
  if (typeof token !== 'function')
    throw new AntiphonError('invalid-argument', `${name} needs \`token\`, a function.`, {
      hint: 'Mint an ephemeral token on your server and fetch it there; it is asked for at every connection.',
    });
  checkServer(server, settings.dangerouslyAllowBrowserKey);
  return {
    id: `${family}:${model}`,
    ...facts,
    ...(reconnect === undefined ? {} : { reconnect }),
    recipe: { vendor, settings },
    token,
  };
}

/** Calls `fail` when the server has not accepted the session in time, unless the returned function is called first. */
export function acceptedWithin(
  { connectTimeoutMs: ms = 10_000 }: RealtimeSettings,
  where: string,
  fail: (error: AntiphonError) => void,
): () => void {
  const timer = setTimeout(() => {
    const message = `${where} did not accept the session within ${ms} ms.`;
    const hint = 'Try again, or give more time with `connectTimeoutMs`.';
    fail(new AntiphonError('provider-timeout', message, { hint, retryable: true }));
  }, ms);
  return () => clearTimeout(timer);
}
