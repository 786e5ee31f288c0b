import { describe, expect, it } from 'vitest';
import { commands } from 'vitest/browser';
import { textMessage } from '../../../src/core/element.ts';
import { openAICompatible } from '../../../src/providers/openai-compatible.ts';
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

describe('a page', () => {
  it('is told about CORS when it sends a header the server does not list', async () => {
    const server = await start('chat', [{ spoken: { text: 'Hi' } }]);
    try {
      const provider = openAICompatible({
        baseURL: server.baseURL,
        model: 'm',
        headers: { 'x-stray': '1' },
        retry: { attempts: 1 },
      });
      const request = { system: '', messages: [textMessage('user', 'Hi')], tools: [] };
      const parts = provider.stream(request, { signal: new AbortController().signal });
      await expect(parts[Symbol.asyncIterator]().next()).rejects.toMatchObject({
        code: 'provider-network',
        hint: expect.stringContaining('CORS'),
      });
      expect(await server.violations()).toEqual(['a page may not send the headers x-stray']);
      expect(await server.requests()).toEqual([]);
    } finally {
      await server.close();
    }
  });
});
