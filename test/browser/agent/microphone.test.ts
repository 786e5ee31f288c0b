import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/index.ts';
import {
  census,
  expectAnswer,
  expectReleased,
  failureOf,
  makeAgent,
  next,
  storedRoles,
} from './rig.ts';

/** What `getUserMedia` rejects with, and what the agent calls it. */
const refusals: readonly (readonly [string, ErrorCode])[] = [
  ['NotAllowedError', 'microphone-denied'],
  ['SecurityError', 'microphone-denied'],
  ['NotFoundError', 'microphone-missing'],
  ['OverconstrainedError', 'microphone-missing'],
  ['NotReadableError', 'microphone-busy'],
  ['AbortError', 'microphone-busy'],
];

describe('trouble with the microphone', () => {
  it('is told by code and hint for every refusal of the browser, and the same agent then talks without one', async () => {
    let refusal = '';
    const { agent, troubles } = await makeAgent({
      getStream: () => Promise.reject(new DOMException('refused', refusal)),
    });
    for (const [name, code] of refusals) {
      refusal = name;
      const error = await failureOf(agent.start());
      expect(error).toMatchObject({ code, hint: expect.stringMatching(/\w+/) });
      await expectReleased(agent);
    }
    await agent.start({ microphone: false });
    await expectAnswer(agent);
    await agent.stop();
    await expectReleased(agent);
    // Who started the agent was told by the rejection, once.
    expect(troubles).toEqual([]);
  });

  it('ends a session whose microphone is unplugged, keeps its turns, and starts anew', async () => {
    const { agent, troubles } = await makeAgent();
    await agent.start();
    await expectAnswer(agent);
    const told = next(agent, 'error');
    census().tracks.at(-1)?.dispatchEvent(new Event('ended'));
    expect(await told).toMatchObject({
      code: 'microphone-ended',
      hint: expect.stringMatching(/\w+/),
      retryable: true,
    });
    await expectReleased(agent);
    expect(await storedRoles(agent)).toEqual(['user', 'assistant']);
    await agent.start();
    await expectAnswer(agent);
    expect(await storedRoles(agent)).toHaveLength(4);
    await agent.stop();
    await expectReleased(agent);
    expect(troubles).toHaveLength(1);
  });

  it('says that no microphone fits constraints nobody can meet', async () => {
    const { agent } = await makeAgent({ constraints: { deviceId: { exact: 'nowhere' } } });
    expect(await failureOf(agent.start())).toMatchObject({
      code: 'microphone-missing',
      hint: expect.stringMatching(/constraints/),
    });
    await expectReleased(agent);
  });

  it('refuses a stream without an audio track', async () => {
    const { agent } = await makeAgent({ getStream: async () => new MediaStream() });
    expect((await failureOf(agent.start())).code).toBe('microphone-missing');
    await expectReleased(agent);
  });

  it('lets go of a microphone that is granted after the agent was stopped', async () => {
    let ask = (): void => {};
    let grant = (): void => {};
    const asked = new Promise<void>((resolve) => (ask = resolve));
    const granted = new Promise<void>((resolve) => (grant = resolve));
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const { agent } = await makeAgent({
      getStream: async () => {
        ask();
        await granted;
        return stream;
      },
    });
    const started = agent.start();
    started.catch(() => {});
    await asked;
    await agent.stop();
    grant();
    expect((await failureOf(started)).code).toBe('aborted');
    await expectReleased(agent);
  });
});
