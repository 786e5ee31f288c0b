/** Vitest browser commands: a page starts and asks realtime protocol servers, which live in Node. */
import type { BrowserCommand } from 'vitest/node';
import {
  GeminiLiveServer,
  OpenAIRealtimeServer,
  type RealtimeReply,
} from '../../../src/testing/servers/index.ts';

type Server = OpenAIRealtimeServer | GeminiLiveServer;

/** Which protocol. */
export type RealtimeVendor = 'openai' | 'gemini';

const running = new Map<string, Server>();

/** Starts a server; its address is its name in the other commands. */
const startRealtimeServer: BrowserCommand<[RealtimeVendor, readonly RealtimeReply[]]> = async (
  _,
  vendor,
  replies,
) => {
  const script = { replies, transcripts: ['What time is it?'] };
  const server =
    vendor === 'openai'
      ? await OpenAIRealtimeServer.start(script)
      : await GeminiLiveServer.start(script);
  running.set(server.url, server);
  return server.url;
};

/** Waits until no socket is open any more, closes the server, and gives what it holds against the client. */
const closeRealtimeServer: BrowserCommand<[string]> = async (_, url) => {
  const server = running.get(url);
  if (!server) throw new Error(`No server runs at ${url}`);
  running.delete(url);
  await server.idle();
  const violations = [...server.violations];
  await server.close();
  return violations;
};

export const realtimeServerCommands = { startRealtimeServer, closeRealtimeServer };

declare module 'vitest/browser' {
  interface BrowserCommands {
    startRealtimeServer: (
      vendor: RealtimeVendor,
      replies: readonly RealtimeReply[],
    ) => Promise<string>;
    closeRealtimeServer: (url: string) => Promise<readonly string[]>;
  }
}
