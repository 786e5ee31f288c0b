/** Sessions against a protocol server, closed in any case; every violation fails the test. */
import { afterEach, expect } from 'vitest';
import { geminiLive, type GeminiLiveOptions } from '../../../src/providers/realtime/gemini-live.ts';
import {
  openAIRealtime,
  type OpenAIRealtimeOptions,
} from '../../../src/providers/realtime/openai-realtime.ts';
import type {
  RealtimeEvent,
  RealtimeProvider,
  RealtimeSession,
  RealtimeSetup,
} from '../../../src/providers/realtime/realtime.ts';
import {
  GeminiLiveServer,
  type GeminiLiveScript,
} from '../../../src/testing/servers/gemini-live-server.ts';
import {
  OpenAIRealtimeServer,
  type OpenAIRealtimeScript,
} from '../../../src/testing/servers/openai-realtime-server.ts';

interface Closable {
  readonly violations: readonly string[];
  readonly openSockets: number;
  idle(): Promise<void>;
  close(): Promise<void>;
}

const servers: Closable[] = [];
const sessions: RealtimeSession[] = [];

afterEach(async () => {
  for (const session of sessions.splice(0)) session.close();
  const open = servers.splice(0);
  try {
    for (const server of open) await server.idle();
    for (const server of open) expect(server.violations).toEqual([]);
  } finally {
    await Promise.all(open.map((server) => server.close()));
  }
});

/**
 * Real sockets in Node; pages and workers, which can't be a server, have them in memory. Awaited below the hook: those
 * of modules that are imported later have to come later, since hooks run backwards and conversations end first.
 */
export const { ground, webSocket } = await ('process' in globalThis
  ? import('./loopback-ground.ts')
  : import('./memory-ground.ts'));

/** Has the server closed after the test, which fails on a violation or a socket left open. */
export function guard<S extends Closable>(server: S): S {
  servers.push(server);
  return server;
}

/** Takes a server whose violations the test expects itself out of the guard's judgement. */
export function expectViolations(server: Closable, expected: readonly unknown[]): void {
  expect(server.violations).toEqual(expected);
  (server.violations as string[]).length = 0;
}

export async function openAIServer(
  script: OpenAIRealtimeScript = {},
): Promise<OpenAIRealtimeServer> {
  return guard(await OpenAIRealtimeServer.start(script, ground));
}

export function openAI(
  server: OpenAIRealtimeServer,
  options: Partial<OpenAIRealtimeOptions> = {},
): RealtimeProvider {
  return openAIRealtime({
    model: 'gpt-realtime-2.1',
    token: () => 'ek_short_lived_token_1234567890',
    url: server.url,
    webSocket,
    ...options,
  });
}

export async function geminiServer(script: GeminiLiveScript = {}): Promise<GeminiLiveServer> {
  return guard(await GeminiLiveServer.start(script, ground));
}

export function gemini(
  server: GeminiLiveServer,
  options: Partial<GeminiLiveOptions> = {},
): RealtimeProvider {
  return geminiLive({
    model: 'gemini-3.1-flash-live-preview',
    token: () => 'auth_tokens/short-lived',
    url: server.url,
    webSocket,
    ...options,
  });
}

/** An open session and what it told; `until` waits for an event. */
export interface Opened {
  readonly session: RealtimeSession;
  readonly events: readonly RealtimeEvent[];
  until<T extends RealtimeEvent['type']>(
    type: T,
    count?: number,
  ): Promise<Extract<RealtimeEvent, { type: T }>>;
}

export async function open(
  provider: RealtimeProvider,
  setup: Partial<RealtimeSetup> = {},
): Promise<Opened> {
  const events: RealtimeEvent[] = [];
  const waiting = new Set<() => void>();
  const session = await provider.connect(
    { system: 'Be brief.', history: [], tools: [], ...setup },
    {
      signal: new AbortController().signal,
      onEvent: (event) => {
        events.push(event);
        for (const check of waiting) check();
      },
    },
  );
  sessions.push(session);
  return {
    session,
    events,
    until: <T extends RealtimeEvent['type']>(type: T, count = 1) =>
      new Promise<Extract<RealtimeEvent, { type: T }>>((resolve) => {
        const check = (): void => {
          const found = events.filter((event) => event.type === type)[count - 1];
          if (!found) return;
          waiting.delete(check);
          resolve(found as Extract<RealtimeEvent, { type: T }>);
        };
        waiting.add(check);
        check();
      }),
  };
}
