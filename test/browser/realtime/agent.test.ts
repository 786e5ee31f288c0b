import { describe, expect, it } from 'vitest';
import { commands } from 'vitest/browser';
import { defineTool, openAIRealtime } from '../../../src/index.ts';
import type { RealtimeProvider } from '../../../src/index.ts';
import { expectReleased, failureOf, makeAgent, next } from '../agent/rig.ts';

const realtime = (url: string): RealtimeProvider =>
  openAIRealtime({
    model: 'gpt-realtime-2.1',
    url,
    token: () => 'ek_of_this_test_only_12345',
    reconnect: { attempts: 2, baseDelayMs: 10 },
  });
/** Nobody listens on the discard port. */
const nowhere = 'ws://127.0.0.1:9/v1/realtime';

describe('an agent with a realtime model', () => {
  it('answers what is typed, tells its turn, and stores what was heard of a reply that a stop cuts', async () => {
    const url = await commands.startRealtimeServer('openai', [
      [{ say: 'Typed answer.', ms: 500 }],
      [{ say: 'one two three four five six seven eight nine ten', ms: 8000 }],
    ]);
    const { agent, troubles } = await makeAgent({ realtime: realtime(url) });
    await agent.start({ microphone: false });
    const over = next(agent, 'turn');
    agent.send('Hello?');
    expect(await over).toMatchObject({
      transcript: 'Hello?',
      reply: 'Typed answer.',
      heard: 'Typed answer.',
      interrupted: false,
    });
    agent.send('Count.');
    await next(agent, 'heard', ({ text }) => text.includes('two'));
    await agent.stop();
    const stored = await agent.history();
    expect(stored.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
    const cut = stored[3];
    expect(cut?.finishReason).toMatch(/interrupted|stop/);
    expect(cut?.heard).toMatch(/^one two/);
    expect(cut?.heard?.length).toBeLessThan(cut?.generated?.length ?? 0);
    expect(troubles).toEqual([]);
    await expectReleased(agent);
    expect(await commands.closeRealtimeServer(url)).toEqual([]);
  });

  it('tells what happens to a call, and takes no answer to one that does not wait', async () => {
    const url = await commands.startRealtimeServer('openai', [
      [{ call: { id: 'c1', name: 'time', arguments: {} } }],
      [{ say: 'It is noon.', ms: 200 }],
    ]);
    const time = defineTool({
      name: 'time',
      description: 'The time.',
      parameters: {},
      execute: () => '12:00',
    });
    const { agent, troubles } = await makeAgent({
      realtime: realtime(url),
      tools: [time],
      toolPolicy: { permissions: { time: 'ask' }, approve: () => true },
    });
    const states: string[] = [];
    agent.on('tool', ({ callId, state }) => states.push(`${callId} ${state}`));
    await agent.start({ microphone: false });
    const over = next(agent, 'turn');
    agent.send('What time is it?');
    expect(await over).toMatchObject({ reply: 'It is noon.' });
    expect(states).toEqual(['c1 called', 'c1 asking', 'c1 running', 'c1 done']);
    const refused = await failureOf(Promise.resolve().then(() => agent.answerTool('c1', 'noon')));
    expect(refused.code).toBe('tool');
    expect(refused.hint).not.toBe('');
    expect(troubles).toEqual([]);
    await agent.stop();
    await expectReleased(agent);
    expect(await commands.closeRealtimeServer(url)).toEqual([]);
  });

  it('goes on in a turn of its own when a call was answered later', async () => {
    const url = await commands.startRealtimeServer('openai', [
      [{ call: { id: 'c1', name: 'form', arguments: {} } }],
      [{ say: 'Thanks.', ms: 200 }],
    ]);
    const form = defineTool({ name: 'form', description: 'Asks for the address.', parameters: {} });
    const { agent, troubles } = await makeAgent({ realtime: realtime(url), tools: [form] });
    const states: string[] = [];
    agent.on('tool', ({ callId, state }) => states.push(`${callId} ${state}`));
    await agent.start({ microphone: false });
    const over = next(agent, 'turn');
    agent.send('Where do I live?');
    expect(await over).toMatchObject({ reply: '' });
    expect(agent.pendingTools).toMatchObject([{ id: 'c1', name: 'form' }]);
    const after = next(agent, 'turn');
    agent.answerTool('c1', 'Rue de Rivoli');
    expect(await after).toMatchObject({ turn: 2, reply: 'Thanks.', heard: 'Thanks.' });
    expect(agent.pendingTools).toEqual([]);
    expect(states).toEqual(['c1 called', 'c1 running', 'c1 pending', 'c1 done']);
    expect((await agent.history()).map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
    ]);
    expect(troubles).toEqual([]);
    await agent.stop();
    await expectReleased(agent);
    expect(await commands.closeRealtimeServer(url)).toEqual([]);
  });

  it('rejects the start when the model can’t be reached, and releases everything', async () => {
    const { agent } = await makeAgent({ realtime: realtime(nowhere), fallback: false });
    const error = await failureOf(agent.start({ microphone: false }));
    expect(error.code).toBe('provider-network');
    expect(error.hint).not.toBe('');
    await expectReleased(agent);
  });

  it('falls back to the local pipeline at the start', async () => {
    const { agent } = await makeAgent({ realtime: realtime(nowhere) });
    const fallback = next(agent, 'fallback');
    await agent.start({ microphone: false });
    expect((await fallback).error.code).toBe('provider-network');
    const over = next(agent, 'turn', ({ transcript }) => transcript === 'what is 2 plus 3');
    agent.send('what is 2 plus 3');
    expect(await over).toMatchObject({ reply: expect.stringMatching(/five|5/i) });
    await agent.stop();
    await expectReleased(agent);
  });
});
