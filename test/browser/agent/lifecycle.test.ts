import { describe, expect, it } from 'vitest';
import { decodeWav, type VoiceAgent } from '../../../src/index.ts';
import { nothing } from './census.ts';
import {
  census,
  expectAnswer,
  expectReleased,
  failureOf,
  makeAgent,
  next,
  storedRoles,
} from './rig.ts';

/** Moments of a start at which a person may change their mind. */
const moments: Readonly<
  Record<string, (agent: VoiceAgent, asked: Promise<void>) => Promise<unknown>>
> = {
  'at once': () => Promise.resolve(),
  'first bytes': (agent) => next(agent, 'progress'),
  asked: (_, asked) => asked,
};

const longText = 'One two three four five six seven eight nine ten. '.repeat(8).trim();

describe('starting and stopping', () => {
  it('leaves no track, context, node, worker or port open after fifty times: eight whole, the others stopped at three moments of the start', async () => {
    let ask = (): void => {};
    const { agent, troubles } = await makeAgent({
      getStream: (constraints) => {
        ask();
        return navigator.mediaDevices.getUserMedia(constraints);
      },
    });
    const plan = { 'at once': 30, 'first bytes': 9, asked: 3, whole: 8 };
    for (const moment of Object.entries(plan).flatMap(([name, times]) =>
      Array<string>(times).fill(name),
    )) {
      const asked = new Promise<void>((resolve) => (ask = resolve));
      const changed = moments[moment]?.(agent, asked);
      const started = agent.start();
      started.catch(() => {});
      await (changed ?? started);
      await agent.stop();
      if (changed) expect((await failureOf(started)).code).toBe('aborted');
      expect(census().open).toEqual(nothing);
    }
    await expectReleased(agent);
    expect(census().made.contexts).toBe(50);
    expect(census().made.tracks).toBe(11);
    expect(troubles).toEqual([]);
  });

  it('opens nothing before it is asked to', async () => {
    const { agent } = await makeAgent();
    expect(agent.graph.nodes.length).toBeGreaterThan(5);
    expect(agent.toMermaid()).toContain('flowchart');
    await agent.stop();
    expect(census().made).toMatchObject({ workers: 0, contexts: 0, tracks: 0, nodes: 0 });
  });

  it('loads once however often it is asked, and starts with what was loaded', async () => {
    const { agent } = await makeAgent();
    await Promise.all([agent.load(), agent.load()]);
    expect(agent.state.assistant).toBe('idle');
    await agent.load();
    await Promise.all([agent.start(), agent.load(), agent.start()]);
    await agent.start();
    expect(agent.state.assistant).toBe('listening');
    expect(census().made).toMatchObject({ workers: 3, contexts: 1, tracks: 1 });
    await agent.stop();
    await expectReleased(agent);
  });

  it('works after start, stop and start in one breath, as a component that mounts twice does', async () => {
    const { agent, troubles } = await makeAgent();
    const first = agent.start();
    first.catch(() => {});
    const stopped = agent.stop();
    const second = agent.start();
    expect((await failureOf(first)).code).toBe('aborted');
    await stopped;
    await second;
    await expectAnswer(agent);
    expect(census().open).toMatchObject({ workers: 3, contexts: 1, tracks: 1 });
    await agent.stop();
    await expectReleased(agent);
    expect(troubles).toEqual([]);
  });

  it('stays stopped when it is stopped right after a start with what was loaded before', async () => {
    const { agent } = await makeAgent();
    await agent.load();
    const started = agent.start({ microphone: false });
    started.catch(() => {});
    await agent.stop();
    expect((await failureOf(started)).code).toBe('aborted');
    await expectReleased(agent);
  });

  it('keeps what was said to a new session though the old one is still ending', async () => {
    const { agent } = await makeAgent();
    await agent.start({ microphone: false });
    const stopped = agent.stop();
    await agent.start({ microphone: false });
    const speech = agent.say('Hello there.');
    await stopped;
    expect(await speech.played).toEqual({ heard: 'Hello there.', interrupted: false });
    await agent.stop();
    await expectReleased(agent);
  });

  it('stops in the middle of a reply: it is stored as far as it was heard, behind the turns before it', async () => {
    const { agent } = await makeAgent();
    await agent.start();
    await expectAnswer(agent);
    const speech = agent.say(longText);
    await next(agent, 'heard', ({ turn }) => turn === speech.turn);
    await agent.stop();
    const { heard, interrupted } = await speech.played;
    expect(interrupted).toBe(true);
    expect(heard).not.toBe('');
    expect(longText.startsWith(heard)).toBe(true);
    await expectReleased(agent);
    expect(await storedRoles(agent)).toEqual(['user', 'assistant', 'assistant']);
    expect((await agent.history()).at(-1)).toMatchObject({ generated: longText, heard });
  });

  it('numbers spoken turns on from the session before, and listens again when their answer fails', async () => {
    const { agent, troubles } = await makeAgent();
    await agent.start({ microphone: false });
    await expectAnswer(agent);
    await expectAnswer(agent);
    await agent.stop();
    agent.setProvider({
      id: 'broken',
      stream: () => {
        throw new Error('No model today.');
      },
    });
    const file = new URL('../../../demo/public/samples/what-time-is-it.wav', import.meta.url);
    const { samples, sampleRate } = decodeWav(await (await fetch(file)).arrayBuffer());
    const over = next(agent, 'turn');
    await agent.playSample(samples, sampleRate);
    // How well it was understood is not the point, and a busy machine plays clips with gaps.
    expect(await over).toMatchObject({
      turn: 3,
      transcript: expect.stringContaining('time'),
      reply: '',
    });
    expect(agent.state.assistant).toBe('listening');
    expect(troubles).toMatchObject([{ message: 'No model today.' }]);
    await agent.stop();
    await expectReleased(agent);
    expect(await storedRoles(agent)).toEqual(['user', 'assistant', 'user', 'assistant', 'user']);
  });

  it('refuses to say or send while it does not run, with what to do', async () => {
    const { agent } = await makeAgent();
    for (const act of [() => agent.say('Hello'), () => agent.send('Hello')]) {
      const error = await failureOf(Promise.resolve().then(act));
      expect(error).toMatchObject({ code: 'shutdown', hint: expect.stringMatching(/start/) });
    }
  });

  it('goes on with another conversation while it runs, and finds the first one again', async () => {
    const { agent } = await makeAgent({ conversation: 'first' });
    await agent.start({ microphone: false });
    await expectAnswer(agent);
    await agent.open('second');
    expect(agent.state.assistant).toBe('listening');
    expect(await agent.history()).toEqual([]);
    await expectAnswer(agent);
    await agent.open('first');
    expect(await storedRoles(agent)).toEqual(['user', 'assistant']);
    expect(await agent.conversations()).toHaveLength(2);
    await agent.stop();
    await expectReleased(agent);
  });
});
