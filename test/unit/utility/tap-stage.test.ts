import { describe, expect, it } from 'vitest';
import { TapStage } from '../../../src/stages/utility/tap-stage.ts';
import { elements, runStage } from '../../../src/testing/index.ts';

const make = elements();
const inputs = [make.text('a'), make.error('stage', 'odd'), make.user('b'), make.turnEnd()];
const kinds = (all: readonly { readonly kind: string }[]): string[] => all.map(({ kind }) => kind);

describe('TapStage', () => {
  it('sees everything in order, control too, and passes on the very same elements', async () => {
    const seen: unknown[] = [];
    const tap = new TapStage('tap', (one) => void seen.push(one));
    const { outputs } = await runStage(tap, inputs);
    expect(kinds(outputs)).toEqual(['text', 'error', 'message', 'turn-end', 'end']);
    expect(seen.slice(0, 4)).toEqual(inputs);
    for (const [index, input] of inputs.entries()) expect(outputs[index]).toBe(input);
  });

  it('sees what it is told to drop, and lets it go no further', async () => {
    const seen: string[] = [];
    const tap = new TapStage('tap', ({ kind }) => void seen.push(kind), { drop: ['error'] });
    const { outputs } = await runStage(tap, inputs);
    expect(kinds(outputs)).toEqual(['text', 'message', 'turn-end', 'end']);
    expect(seen).toContain('error');
  });

  it('fails the run when its observer throws', async () => {
    const tap = new TapStage('tap', () => {
      throw new Error('no idea');
    });
    const { failure } = await runStage(tap, inputs);
    expect(failure).toMatchObject({ stage: 'tap', message: expect.stringContaining('no idea') });
  });
});
