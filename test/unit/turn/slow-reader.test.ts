/** `AudioTurnStage` before a reader that is slow or goes away. */
import { describe, expect, it } from 'vitest';
import type { StreamElement } from '../../../src/core/element.ts';
import { AudioTurnStage } from '../../../src/stages/streaming/audio-turn-stage.ts';
import { only, scriptedVad, testContext } from '../../../src/testing/index.ts';
import { frames, microphone } from './scripted-speech.ts';

describe('a reader that', () => {
  it('is slow does not make it deaf: the interrupt comes first, audio is dropped, no control is', async () => {
    const context = testContext();
    const talk = frames([320, 0], [20_000, 0.9], [1024, 0]);
    const probabilities = [...talk, ...talk, ...talk, ...talk, ...talk];
    let taken = 0;
    let allTaken = (): void => undefined;
    const exhausted = new Promise<void>((resolve) => (allTaken = resolve));
    async function* input(): AsyncGenerator<StreamElement> {
      for (const chunk of microphone(probabilities)) {
        taken += 1;
        yield chunk;
      }
      allTaken();
    }
    const hearing = new AudioTurnStage({ vad: scriptedVad() });
    const outputs: StreamElement[] = [];
    for await (const output of hearing.process(input(), context)) {
      outputs.push(output);
      await exhausted;
    }
    expect(taken).toBe(probabilities.length);
    expect(context.events.some(({ type }) => type === 'audio-dropped')).toBe(true);
    expect(only(outputs, 'utterance').map(({ turn }) => turn)).toEqual([1, 2, 3, 4, 5]);
    expect(only(outputs, 'turn-end')).toHaveLength(5);
    const interrupted = outputs.findIndex(({ kind }) => kind === 'interrupt');
    expect(outputs.slice(0, interrupted + 1).some(({ kind }) => kind === 'utterance')).toBe(false);
  });

  it('goes away ends the hearing', async () => {
    let taken = 0;
    async function* input(): AsyncGenerator<StreamElement> {
      for (;;) {
        taken += 1;
        yield microphone([0.9], taken)[0] as StreamElement;
        await new Promise<void>((resolve) => setTimeout(resolve));
      }
    }
    for await (const output of new AudioTurnStage({ vad: scriptedVad() }).process(
      input(),
      testContext(),
    ))
      if (output.kind === 'audio') break;
    const after = taken;
    for (let turn = 0; turn < 20; turn += 1)
      await new Promise<void>((resolve) => setTimeout(resolve));
    expect(taken - after).toBeLessThanOrEqual(2);
  });
});
