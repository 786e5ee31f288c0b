/** What a realtime model is made with: addresses and tokens of pages, options it has no use for. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createVoiceAgent } from '../../../src/create-voice-agent.ts';
import { geminiLive } from '../../../src/providers/realtime/gemini-live.ts';
import { openAIRealtime } from '../../../src/providers/realtime/openai-realtime.ts';
import { memoryStore } from '../../../src/state/memory-store.ts';

const { signal } = new AbortController();
afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the address of a realtime server', () => {
  const token = (): string => 'ek_short_lived_token_1234567890';
  const model = 'gpt-realtime-2.1';
  const url = `wss://proxy.example/v1/realtime?key=sk-proj-${'aB3dE5gH7j'.repeat(4)}`;

  it.each([
    ['openAIRealtime', openAIRealtime],
    ['geminiLive', geminiLive],
  ])('may carry no key that lives long, in a page: %s', (_, make) => {
    expect(() => make({ model, token, url })).not.toThrow();
    vi.stubGlobal('document', {});
    expect(() => make({ model, token, url })).toThrow(
      expect.objectContaining({ code: 'provider-auth' }),
    );
    expect(() => make({ model, token, url, dangerouslyAllowBrowserKey: true })).not.toThrow();
    expect(() => make({ model, token, url: 'wss://proxy.example/?a=b' })).not.toThrow();
    expect(() => make({ model, token, url: 'wss://me:secret@proxy.example' })).toThrow(
      expect.objectContaining({ code: 'invalid-argument', message: 'url carries credentials.' }),
    );
  });

  it('counts for a token, too: some keys are known by where they are sent only', async () => {
    vi.stubGlobal('document', {});
    const provider = openAIRealtime({
      model,
      token: () => 'f0'.repeat(16),
      url: 'wss://mine.openai.azure.com/openai/v1/realtime',
    });
    const setup = { system: '', history: [], tools: [] };
    await expect(provider.connect(setup, { signal, onEvent: () => {} })).rejects.toMatchObject({
      code: 'provider-auth',
    });
  });
});

describe('options that a realtime model has no use for', () => {
  const realtime = geminiLive({ model: 'gemini-3.8-live', token: () => 'auth_tokens/1' });
  const options = { realtime, state: memoryStore() };

  it.each([
    ['filler', { filler: { texts: ['One moment.'] } }],
    ['toolChoice', { toolChoice: 'required' }],
  ] as const)('are refused where no local pipeline has: %s', async (name, option) => {
    const refused = await createVoiceAgent({ ...options, ...option, fallback: false }).catch(
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ code: 'unsupported' });
    expect(refused).toHaveProperty('message', expect.stringContaining(name));
    expect(refused).toHaveProperty('hint', expect.stringContaining('fallback'));
    await expect(createVoiceAgent({ ...options, ...option })).resolves.toBeDefined();
  });

  it('are no more than these: one that takes a choice is given it, and all can do without tools', async () => {
    const chooser = openAIRealtime({ model: 'gpt-realtime-2.1', token: () => 'ek_1' });
    for (const choice of [
      { realtime: chooser, toolChoice: 'required' },
      { toolChoice: 'none' },
    ] as const)
      await expect(
        createVoiceAgent({ ...options, ...choice, fallback: false }),
      ).resolves.toBeDefined();
  });
});
