import { describe, expect, it } from 'vitest';
import { textMessage } from '../../../src/core/element.ts';
import { openAICompatible } from '../../../src/providers/openai-compatible.ts';
import type { ProviderPart, ProviderRequest } from '../../../src/providers/provider.ts';

const request: ProviderRequest = { system: '', messages: [textMessage('user', 'Hi')], tools: [] };
const frame = (text: string): Uint8Array =>
  new TextEncoder().encode(
    `data: ${JSON.stringify({ choices: [{ delta: { content: text } }] })}\n\n`,
  );

/** A fetch whose body sends one frame and then waits; tells when it was cancelled. */
function waiting(): { readonly fetch: typeof fetch; readonly cancelled: Promise<unknown> } {
  let tell: (reason: unknown) => void = () => undefined;
  const cancelled = new Promise((resolve) => (tell = resolve));
  return {
    cancelled,
    fetch: async (_, init) => {
      init?.signal?.addEventListener('abort', () => tell('aborted'));
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(frame('Once')),
        cancel: (reason) => tell(reason),
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    },
  };
}

describe('openAICompatible in a browser', () => {
  it('aborts the fetch when the turn is interrupted', async () => {
    const { fetch, cancelled } = waiting();
    const controller = new AbortController();
    const parts: ProviderPart[] = [];
    const run = async (): Promise<void> => {
      const provider = openAICompatible({ baseURL: '/v1', model: 'm', fetch });
      for await (const part of provider.stream(request, { signal: controller.signal })) {
        parts.push(part);
        controller.abort();
      }
    };
    await expect(run()).rejects.toMatchObject({ code: 'aborted' });
    await cancelled;
    expect(parts).toEqual([{ type: 'text-delta', text: 'Once' }]);
  });

  it('aborts the fetch when its consumer breaks off', async () => {
    const { fetch, cancelled } = waiting();
    const provider = openAICompatible({ baseURL: '/v1', model: 'm', fetch });
    for await (const part of provider.stream(request, { signal: new AbortController().signal }))
      if (part.type === 'text-delta') break;
    expect(await cancelled).toBe('aborted');
  });

  it('reports a server that nobody can reach', async () => {
    const provider = openAICompatible({
      baseURL: 'http://127.0.0.1:9/v1',
      model: 'm',
      retry: { attempts: 1 },
    });
    const parts = provider.stream(request, { signal: new AbortController().signal });
    await expect(parts[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'provider-network',
      hint: expect.stringContaining('CORS'),
    });
  });

  it('refuses a long-lived key, at once or when a function gives one, and takes local tokens', async () => {
    const token = `sk-${'a'.repeat(40)}`;
    const options = { baseURL: '/v1', model: 'm', retry: { attempts: 1 } };
    expect(() => openAICompatible({ ...options, token })).toThrow(
      expect.objectContaining({ code: 'provider-auth' }),
    );
    const later = openAICompatible({ ...options, token: () => token }).stream(request, {
      signal: new AbortController().signal,
    });
    await expect(later[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'provider-auth',
    });
    expect(() =>
      openAICompatible({ ...options, token, dangerouslyAllowBrowserKey: true }),
    ).not.toThrow();
    expect(() => openAICompatible({ ...options, token: 'ollama' })).not.toThrow();
  });
});
