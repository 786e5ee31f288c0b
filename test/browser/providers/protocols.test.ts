import { commands } from 'vitest/browser';
import type { Question } from '../../providers/commands.ts';
import type { StartServer } from '../../providers/scenario.ts';
import { providerSuite } from '../../providers/suite.ts';

/** A server in Node that this page reaches over real sockets, preflights included. */
const start: StartServer = async (vendor, scenarios) => {
  const baseURL = await commands.startProviderServer(vendor, scenarios);
  const ask = async <T>(question: Question, argument?: string | number): Promise<T> =>
    (await commands.askProviderServer(baseURL, question, argument)) as T;
  return {
    baseURL,
    open: (gate) => ask('open', gate),
    reached: (gate) => ask('reached', gate),
    idle: () => ask('idle'),
    requests: () => ask('requests'),
    ended: (index) => ask('ended', index),
    violations: () => ask('violations'),
    close: () => ask('close'),
  };
};

providerSuite(start);
