/** What the agent's browser tests share: agents that are stopped in any case, and a census of what they open. */
import { afterEach, beforeEach, expect } from 'vitest';
import { AntiphonError } from '../../../src/core/errors.ts';
import {
  createVoiceAgent,
  memoryStore,
  type AgentEvents,
  type VoiceAgent,
  type VoiceAgentOptions,
} from '../../../src/index.ts';
import { Census, nothing } from './census.ts';

let agents: VoiceAgent[] = [];
let current: Census;

beforeEach(() => {
  current = new Census();
});

afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.stop()));
  current.restore();
});

/** What this test has opened. */
export function census(): Census {
  return current;
}

/** Errors the agent told of, newest last. */
export type Troubles = AntiphonError[];

/** An agent over a memory store, with the errors it tells of. */
export async function makeAgent(
  options: VoiceAgentOptions = {},
): Promise<{ readonly agent: VoiceAgent; readonly troubles: Troubles }> {
  const agent = await createVoiceAgent({ state: memoryStore(), ...options });
  agents.push(agent);
  const troubles: Troubles = [];
  agent.on('error', (error) => troubles.push(error));
  return { agent, troubles };
}

/** The next event of this name that satisfies `isWanted`. */
export function next<Name extends keyof AgentEvents>(
  agent: VoiceAgent,
  name: Name,
  isWanted: (event: AgentEvents[Name]) => boolean = () => true,
): Promise<AgentEvents[Name]> {
  return new Promise((resolve) => {
    const off = agent.on(name, (event) => {
      if (!isWanted(event)) return;
      off();
      resolve(event);
    });
  });
}

/** The typed error a promise rejects with; anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<AntiphonError> {
  const error: unknown = await promise.then(
    () => new Error('It succeeded.'),
    (reason: unknown) => reason,
  );
  if (AntiphonError.is(error)) return error;
  throw error;
}

/** Fails unless the agent is idle and nothing is left open. */
export async function expectReleased(agent: VoiceAgent): Promise<void> {
  expect(agent.state).toEqual({ assistant: 'idle', user: 'silent' });
  // The browser tells a port of its other end's fate when it gets to it.
  await expect.poll(() => current.open).toEqual(nothing);
}

/** Types a sum and waits for the turn's end: the agent works. */
export async function expectAnswer(agent: VoiceAgent): Promise<void> {
  const over = next(agent, 'turn', ({ transcript }) => transcript === 'what is 2 plus 3');
  agent.send('what is 2 plus 3');
  expect(await over).toMatchObject({ reply: expect.stringMatching(/five|5/i), interrupted: false });
}

/** Roles of what is stored. */
export async function storedRoles(agent: VoiceAgent): Promise<string[]> {
  return (await agent.history()).map(({ role }) => role);
}
