/** The worker of docs/custom-stages.md at work, and the kit inside one. */
import { describe, expect, it } from 'vitest';
import { elements, only, runStage, tone } from '../../../src/testing/index.ts';
import { gainInWorker } from '../../unit/docs/custom-stages/gain-in-worker.ts';

describe('a custom stage in a worker', () => {
  it('does there what it does on the page', async () => {
    const sound = tone(100, { level: 0.25 });
    const run = await runStage(gainInWorker({ decibels: 6.02 }), elements().frames(sound));
    expect(run.failure).toBeUndefined();
    const louder = only(run.outputs, 'audio').flatMap(({ samples }) => [...samples]);
    expect(louder).toHaveLength(sound.samples.length);
    expect(Math.max(...louder)).toBeCloseTo(0.5, 2);
  });

  it('reports there what it refuses', async () => {
    const { failure } = await runStage(gainInWorker({ decibels: Number.NaN }), []);
    expect(failure).toMatchObject({ code: 'invalid-argument', stage: 'gain' });
  });

  it('can be tested there: a whole conversation runs in a worker as it does in Node', async () => {
    const worker = new Worker(new URL('./conversation.worker.ts', import.meta.url), {
      type: 'module',
    });
    const log = await new Promise<string>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<string>) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
    });
    worker.terminate();
    const { default: golden } = await import('../../fixtures/conversations/talked-over.log?raw');
    expect(log).toBe(golden.trimEnd());
  });
});
