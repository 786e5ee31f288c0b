/** Vitest browser commands: a page starts and drives the protocol servers, which live in Node. */
import type { BrowserCommand } from 'vitest/node';
import { startScenarioServer } from './scenario-server.ts';
import type { RemoteServer, Scenario, SeenRequest, Vendor } from './scenario.ts';

const running = new Map<string, RemoteServer>();

/** Starts a server; its address is its name in the other commands. */
const startProviderServer: BrowserCommand<[Vendor, readonly Scenario[]]> = async (_, ...args) => {
  const server = await startScenarioServer(...args);
  running.set(server.baseURL, server);
  return server.baseURL;
};

/** What a running server can be asked. */
export type Question = Exclude<keyof RemoteServer, 'baseURL'>;

/** Calls one method of a running server. */
const askProviderServer: BrowserCommand<[string, Question, (string | number)?]> = async (
  _,
  baseURL,
  question,
  argument,
) => {
  const server = running.get(baseURL);
  if (!server) throw new Error(`No server runs at ${baseURL}`);
  if (question === 'close') running.delete(baseURL);
  if (question === 'ended') return server.ended(Number(argument));
  if (question === 'open' || question === 'reached') return server[question](String(argument));
  return server[question]();
};

export const providerServerCommands = { startProviderServer, askProviderServer };

declare module 'vitest/browser' {
  interface BrowserCommands {
    startProviderServer: (vendor: Vendor, scenarios: readonly Scenario[]) => Promise<string>;
    askProviderServer: (
      baseURL: string,
      question: Question,
      argument?: string | number,
    ) => Promise<void | 'complete' | 'cut' | readonly string[] | readonly SeenRequest[]>;
  }
}
