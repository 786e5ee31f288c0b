/** OpenAI's Realtime API (GA) as a realtime provider, over a WebSocket with an ephemeral token. */
import { deferred } from '../../core/deferred.ts';
import { deserializeError, serializeError } from '../../core/errors.ts';
import { abortable } from '../abort.ts';
import { arrayOf, recordOf } from '../chat/json.ts';
import { querySecrets } from '../http/key-shapes.ts';
import { publicUrl } from '../http/redact.ts';
import { possibleChoice } from '../tool-choice.ts';
import { openJsonSocket, type JsonObject } from './json-socket.ts';
import { errorOf, itemsOf, numberIn } from './openai-events.ts';
import { openAIRate, OpenAISession } from './openai-session.ts';
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

/** Settings of {@link openAIRealtime} that survive structured clone. */
export interface OpenAIRealtimeSettings extends RealtimeSettings {
  /** `marin` unless given. Fixed once the session has spoken. */
  readonly voice?: string;
  /**
   * `local` (unless given): an `AudioTurnStage` decides, so that a cough interrupts nothing and only speech is sent.
   * `server`: OpenAI's `semantic_vad`; an object: those settings of `turn_detection`, as the API takes them.
   */
  readonly turnDetection?: 'local' | 'server' | JsonObject;
  /** How the person's words are written down, as the API takes it; `{ model: 'gpt-transcribe' }` unless given. */
  readonly transcription?: JsonObject;
  /** More fields of the session, as the API takes them: `max_output_tokens`, `reasoning`, `tool_choice`… */
  readonly session?: JsonObject;
  /** `wss://api.openai.com/v1/realtime` unless given. */
  readonly url?: string;
  /** Silence of the server after which it is asked for a sign of life, in ms. Default 20 000. */
  readonly keepaliveMs?: number;
}

/** What {@link openAIRealtime} takes. */
export interface OpenAIRealtimeOptions extends OpenAIRealtimeSettings, RealtimeFunctions {
  /** Gives an ephemeral token (`ek_…`) that your server minted; asked before every connection. */
  readonly token: RealtimeToken;
}

/**
 * A speech-to-speech model of OpenAI. No side effects before `connect`.
 *
 * @throws AntiphonError `invalid-argument` without `model` or `token`; `provider-auth` for a `url` with a key that lives
 *   long, in a page
 * @example
 * const agent = await createVoiceAgent({
 *   realtime: openAIRealtime({ model: 'gpt-realtime-2.1', token: () => fetch('/token').then((r) => r.text()) }),
 * });
 */
export function openAIRealtime(options: OpenAIRealtimeOptions): RealtimeProvider {
  return realtimeProvider(options, {
    vendor: 'openai',
    name: 'openAIRealtime',
    family: 'openai-realtime',
    example: 'gpt-realtime-2.1',
    server: serverOf(options),
    inputSampleRate: openAIRate,
    outputSampleRate: openAIRate,
    turnDetection: detectionOf(options) === null ? 'local' : 'server',
    finalTranscripts: true,
    takesToolChoice: true,
    connect: (setup, connection) => connect(options, setup, connection),
  });
}

async function connect(
  options: OpenAIRealtimeOptions,
  setup: RealtimeSetup,
  { signal, onEvent }: RealtimeConnectOptions,
): Promise<RealtimeSession> {
  const { connectTimeoutMs = 10_000, keepaliveMs = 20_000, dangerouslyAllowBrowserKey } = options;
  const allowed = dangerouslyAllowBrowserKey ?? false;
  const token = await mintedToken(options.token, allowed, signal, serverOf(options));
  const url = new URL(serverOf(options));
  url.searchParams.set('model', options.model);
  const where = publicUrl(url.href);
  const choice = possibleChoice(setup.toolChoice, setup.tools);
  const created = deferred<JsonObject>();
  const updated = deferred<void>();
  created.promise.catch(() => {});
  updated.promise.catch(() => {});
  let session: OpenAISession | undefined;
  let isAccepted = false;
  let isReady = false;
  const fail = (error: unknown): void => {
    created.reject(error);
    updated.reject(error);
  };
  const socket = await openJsonSocket({
    url: url.href,
    protocols: ['realtime', `openai-insecure-api-key.${token}`],
    ...(options.webSocket === undefined ? {} : { webSocket: options.webSocket }),
    connectTimeoutMs,
    secrets: [token, ...querySecrets(serverOf(options))],
    signal,
    onMessage: (message) => {
      if (message['type'] === 'session.created') created.resolve(recordOf(message['session']));
      else if (message['type'] === 'session.updated') {
        isAccepted = true;
        updated.resolve();
      } else if (message['type'] === 'error' && !isAccepted)
        return fail(deserializeError(errorOf(recordOf(message['error']), where)));
      session?.receive(message);
    },
    onClosed: (error) => {
      fail(error);
      if (isReady) session?.lost(serializeError(error));
    },
  });
  session = new OpenAISession(socket, {
    turnDetection: detectionOf(options) === null ? 'local' : 'server',
    where,
    onEvent,
    keepaliveMs,
    mustCall: choice !== undefined && choice !== 'none',
  });
  const stopWaiting = acceptedWithin(options, where, fail);
  try {
    const facts = await abortable(created.promise, signal);
    socket.send({ type: 'session.update', session: sessionOf(options, setup, choice) });
    for (const item of setup.history.flatMap(itemsOf))
      socket.send({ type: 'conversation.item.create', item });
    await abortable(updated.promise, signal);
    isReady = true;
    const expiresAt = numberIn(facts, 'expires_at');
    session.expiresAtMs = expiresAt === undefined ? undefined : expiresAt * 1000;
    return session;
  } catch (error) {
    session.close();
    throw error;
  } finally {
    stopWaiting();
  }
}

function serverOf({ url = 'wss://api.openai.com/v1/realtime' }: OpenAIRealtimeSettings): string {
  return url;
}

function detectionOf({ turnDetection = 'local' }: OpenAIRealtimeSettings): JsonObject | null {
  if (turnDetection === 'local') return null;
  return turnDetection === 'server' ? { type: 'semantic_vad' } : turnDetection;
}

function sessionOf(
  options: OpenAIRealtimeSettings,
  setup: RealtimeSetup,
  choice: ReturnType<typeof possibleChoice>,
): JsonObject {
  const { voice = 'marin', transcription = { model: 'gpt-transcribe' } } = options;
  const format = { type: 'audio/pcm', rate: openAIRate };
  const own = recordOf(options.session);
  const ownAudio = recordOf(own['audio']);
  return {
    ...own,
    type: 'realtime',
    instructions: setup.system,
    output_modalities: ['audio'],
    audio: {
      input: {
        ...recordOf(ownAudio['input']),
        format,
        transcription,
        turn_detection: detectionOf(options),
      },
      output: { ...recordOf(ownAudio['output']), format, voice },
    },
    tools: [
      // Those the vendor runs itself, such as `mcp`.
      ...arrayOf(own['tools']),
      ...setup.tools.map(({ name, description, parameters }) => ({
        type: 'function',
        name,
        description,
        parameters,
      })),
    ],
    tool_choice:
      typeof choice === 'object'
        ? { type: 'function', name: choice.name }
        : (choice ?? own['tool_choice'] ?? 'auto'),
  };
}
