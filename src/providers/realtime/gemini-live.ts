/** Google's Gemini Live API as a realtime provider, over a WebSocket with an ephemeral token. */
import { deferred } from '../../core/deferred.ts';
import { serializeError } from '../../core/errors.ts';
import { abortable } from '../abort.ts';
import { arrayOf, recordOf } from '../chat/json.ts';
import { endpoint } from '../http/endpoint.ts';
import { querySecrets } from '../http/key-shapes.ts';
import { publicUrl } from '../http/redact.ts';
import { geminiInputRate, historyContent, toolsOf } from './gemini-messages.ts';
import { GeminiSession } from './gemini-session.ts';
import { openJsonSocket, type JsonObject } from './json-socket.ts';
import {
  acceptedWithin,
  realtimeProvider,
  type RealtimeFunctions,
  type RealtimeSettings,
} from './realtime-provider.ts';
import { mintedToken } from './realtime-token.ts';
import type {
  RealtimeConnectOptions,
  RealtimeProvider,
  RealtimeSession,
  RealtimeSetup,
  RealtimeToken,
} from './realtime.ts';

/** Settings of {@link geminiLive} that survive structured clone. */
export interface GeminiLiveSettings extends RealtimeSettings {
  /** A prebuilt voice; the model's own unless given. */
  readonly voice?: string;
  /**
   * `local` (unless given): an `AudioTurnStage` decides, so that a cough interrupts nothing. `server`: the API's
   * automatic detection; an object: those settings of `automaticActivityDetection`.
   */
  readonly turnDetection?: 'local' | 'server' | JsonObject;
  /** Of function declarations: `BLOCKING` or `NON_BLOCKING`; the model's own unless given. */
  readonly toolBehavior?: 'BLOCKING' | 'NON_BLOCKING';
  /** More fields of the setup, as the API takes them. */
  readonly setup?: JsonObject;
  /** `wss://generativelanguage.googleapis.com` unless given. */
  readonly url?: string;
  /** Of the method for ephemeral tokens; `v1alpha` unless given. */
  readonly apiVersion?: string;
}

/** What {@link geminiLive} takes. */
export interface GeminiLiveOptions extends GeminiLiveSettings, RealtimeFunctions {
  /**
   * Gives an ephemeral token (`auth_tokens/…`) that your server minted; asked before every connection, so mint it with
   * `uses: 0` or anew each time.
   */
  readonly token: RealtimeToken;
}

/**
 * A speech-to-speech model of Google. No side effects before `connect`. It can't be told what was heard of a reply that
 * was cut; the conversation's history says it.
 *
 * @throws AntiphonError `invalid-argument` without `model` or `token`; `provider-auth` for a `url` with a key that lives
 *   long, in a page
 * @example
 * const agent = await createVoiceAgent({
 *   realtime: geminiLive({ model: 'gemini-3.1-flash-live-preview', token: () => fetch('/token').then((r) => r.text()) }),
 * });
 */
export function geminiLive(options: GeminiLiveOptions): RealtimeProvider {
  return realtimeProvider(options, {
    vendor: 'gemini',
    name: 'geminiLive',
    family: 'gemini-live',
    example: 'gemini-3.1-flash-live-preview',
    server: serverOf(options),
    inputSampleRate: geminiInputRate,
    outputSampleRate: 24_000,
    turnDetection: isLocal(options) ? 'local' : 'server',
    finalTranscripts: false,
    connect: (setup, connection) => connect(options, setup, connection),
  });
}

const isLocal = ({ turnDetection = 'local' }: GeminiLiveSettings): boolean =>
  turnDetection === 'local';

async function connect(
  options: GeminiLiveOptions,
  setup: RealtimeSetup,
  { signal, onEvent }: RealtimeConnectOptions,
): Promise<RealtimeSession> {
  const { connectTimeoutMs = 10_000, dangerouslyAllowBrowserKey = false } = options;
  const server = serverOf(options);
  const token = await mintedToken(options.token, dangerouslyAllowBrowserKey, signal, server);
  const url = addressOf(options, token);
  const where = publicUrl(url);
  const accepted = deferred<void>();
  accepted.promise.catch(() => {});
  let session: GeminiSession | undefined;
  let isReady = false;
  const socket = await openJsonSocket({
    url,
    ...(options.webSocket === undefined ? {} : { webSocket: options.webSocket }),
    connectTimeoutMs,
    secrets: [token, ...querySecrets(url)],
    signal,
    onMessage: (message) => {
      if ('setupComplete' in message) accepted.resolve();
      session?.receive(message);
    },
    onClosed: (error) => {
      accepted.reject(error);
      if (isReady) session?.lost(serializeError(error));
    },
  });
  session = new GeminiSession(socket, {
    turnDetection: isLocal(options) ? 'local' : 'server',
    endsWithStatus: options.model.includes('extended-thinking'),
    onEvent,
  });
  const stopWaiting = acceptedWithin(options, where, accepted.reject);
  try {
    socket.send({ setup: setupOf(options, setup) });
    await abortable(accepted.promise, signal);
    isReady = true;
    const past = setup.resume === undefined ? historyContent(setup.history) : undefined;
    if (past) socket.send(past);
    return session;
  } catch (error) {
    session.close();
    throw error;
  } finally {
    stopWaiting();
  }
}

function serverOf({ url = 'wss://generativelanguage.googleapis.com' }: GeminiLiveSettings): string {
  return url;
}

/** A token is for the constrained method only, and a key for the plain one only. */
function addressOf(options: GeminiLiveSettings, token: string): string {
  const { apiVersion = 'v1alpha' } = options;
  const isToken = token.startsWith('auth_tokens/');
  const version = isToken ? apiVersion : 'v1beta';
  const method = isToken ? 'BidiGenerateContentConstrained' : 'BidiGenerateContent';
  const service = `google.ai.generativelanguage.${version}.GenerativeService.${method}`;
  const address = new URL(endpoint(serverOf(options), `/ws/${service}`));
  address.searchParams.set(isToken ? 'access_token' : 'key', token);
  return address.href;
}

function setupOf(options: GeminiLiveSettings, setup: RealtimeSetup): JsonObject {
  const { model, voice, turnDetection = 'local', toolBehavior } = options;
  const own = options.setup ?? {};
  const detection = isLocal(options)
    ? { automaticActivityDetection: { disabled: true } }
    : typeof turnDetection === 'object'
      ? { automaticActivityDetection: turnDetection }
      : {};
  // Those the vendor runs itself, such as its search, go before.
  const tools = [...arrayOf(own['tools']), ...toolsOf(setup, toolBehavior)];
  const generation = recordOf(own['generationConfig']);
  const hasPast = setup.resume === undefined && historyContent(setup.history) !== undefined;
  return {
    contextWindowCompression: { slidingWindow: {} },
    ...own,
    model: model.startsWith('models/') ? model : `models/${model}`,
    generationConfig: {
      ...generation,
      responseModalities: ['AUDIO'],
      ...(voice === undefined
        ? {}
        : {
            speechConfig: {
              ...recordOf(generation['speechConfig']),
              voiceConfig: { prebuiltVoiceConfig: { voiceName: voice } },
            },
          }),
    },
    ...(setup.system === '' ? {} : { systemInstruction: { parts: [{ text: setup.system }] } }),
    ...(tools.length === 0 ? {} : { tools }),
    realtimeInputConfig: { ...recordOf(own['realtimeInputConfig']), ...detection },
    inputAudioTranscription: recordOf(own['inputAudioTranscription']),
    outputAudioTranscription: recordOf(own['outputAudioTranscription']),
    sessionResumption: setup.resume === undefined ? {} : { handle: setup.resume },
    ...(hasPast ? { historyConfig: { initialHistoryInClientContent: true } } : {}),
  };
}
