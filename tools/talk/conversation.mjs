/** Runs inside the demo page: starts its agent, notes every event, and tells when the conversation has settled. */

/** Installs `globalThis.talk` on a page whose `globalThis.agent` is there. */
export function installTalk() {
  const agent = globalThis.agent;
  const talk = { events: [], turns: [], errors: [], state: agent.state, origin: 0, activity: 0 };
  const note = (type) =>
    agent.on(type, (event) => {
      talk.activity = performance.now();
      const { code, message, hint } = event;
      const plain = type === 'error' ? { code, message, hint } : event;
      if (type === 'error') talk.errors.push(plain);
      if (type === 'turn') talk.turns.push(event);
      if (type === 'state') talk.state = event;
      talk.events.push({ type, at: Date.now(), ...structuredClone(plain) });
    });
  for (const type of [
    'state',
    'transcript',
    'reply',
    'heard',
    'interrupt',
    'tool',
    'turn',
    'error',
  ])
    note(type);
  globalThis.talk = talk;
}

/** True once the microphone file is over and nothing is being heard, thought or said; runs in the page. */
export function hasSettled({ untilMs, quietMs }) {
  const { talk } = globalThis;
  if (talk.errors.length > 0 && talk.state.assistant === 'idle') return true;
  const now = performance.timeOrigin + performance.now();
  if (now < talk.origin + untilMs) return false;
  const busy = talk.state.assistant !== 'listening' || talk.state.user === 'speaking';
  return !busy && performance.now() - talk.activity >= quietMs;
}
