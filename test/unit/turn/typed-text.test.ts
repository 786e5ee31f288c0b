/** Typed text while something else goes on: it keeps its place in the conversation. */
import { describe, expect, it } from 'vitest';
import { messageText } from '../../../src/core/element.ts';
import {
  fakeClock,
  reply,
  runOffline,
  scriptedProvider,
  toneLanguage,
  user,
  type UserStep,
} from '../../../src/testing/index.ts';

/** What was said by whom, in the order in which it was stored; all that was shown to the model last. */
async function conversation(steps: readonly UserStep[], recognizerMs: number) {
  const clock = fakeClock();
  const answers = ['echo echo.', 'golf golf.'];
  let asked = 0;
  const provider = () =>
    scriptedProvider([[reply.wait(300), answers[asked++] ?? 'hotel.']], { clock });
  const { messages, log } = await runOffline({
    user: steps,
    provider,
    clock,
    language: toneLanguage(),
    latency: { recognizerMs },
  });
  const said = messages.map((message) => `${message.role}: ${messageText(message)}`);
  return { said, log };
}

describe('typed text', () => {
  it('waits until what was said before it is written down, and both are answered at once', async () => {
    const steps = [
      user.says('alpha bravo', 800),
      user.pauses(700),
      user.types('charlie delta'),
      user.hearsAll(),
    ];
    const { said } = await conversation(steps, 1500);
    expect(said).toEqual(['user: alpha bravo', 'user: charlie delta', 'assistant: echo echo.']);
  });

  it('waits until the person has finished speaking, so that nobody talks over them', async () => {
    const steps = [
      user.says('alpha bravo', 800),
      user.types('charlie delta'),
      user.says('foxtrot golf', 800),
      user.hearsAll(),
    ];
    const { said, log } = await conversation(steps, 100);
    expect(said).toEqual([
      'user: alpha bravo foxtrot golf',
      'user: charlie delta',
      'assistant: echo echo.',
    ]);
    expect(log).not.toContain('state speaking, user speaking');
  });

  it('does not wait for ever for a sound that is no turn', async () => {
    const steps = [user.says('mhm', 120), user.types('charlie delta'), user.hearsAll()];
    const { said } = await conversation(steps, 100);
    expect(said).toEqual(['user: charlie delta', 'assistant: echo echo.']);
  });
});
