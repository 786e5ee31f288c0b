import { expect, it } from 'vitest';
import { AntiphonError } from '../../../../src/index.ts';
import { elements, gate, runStage } from '../../../../src/testing/index.ts';
import { lookUp } from './look-up.ts';

it('goes on without facts when a search fails', async () => {
  const search = () => Promise.reject(new AntiphonError('provider-network', 'offline'));
  const { log, failure } = await runStage(lookUp(search), elements().asks('are you open'));
  expect(log.split('\n')).toEqual([
    '0 #1 error provider-network "offline"',
    '0 #1 message user "are you open"',
    '0 #1 turn-end',
    '0 #0 end',
  ]);
  expect(failure).toBeUndefined();
});

it('ends the run when its key is refused', async () => {
  const search = () => Promise.reject(new AntiphonError('provider-auth', 'who are you'));
  const { outputs, failure } = await runStage(lookUp(search), elements().asks('are you open'));
  expect(outputs).toEqual([]);
  expect(failure).toMatchObject({ code: 'provider-auth', stage: 'look-up' });
});

it('gives up a search whose turn is interrupted, and never mentions it', async () => {
  const never = gate();
  const search = (question: string, signal: AbortSignal) =>
    question === 'wait' ? never.pass(signal).then(() => '') : Promise.resolve('we are');
  const make = elements();
  const inputs = [...make.asks('wait'), make.interrupt(1), ...make.asks('are you open')];
  const { log, errors } = await runStage(lookUp(search), inputs);
  expect(log).toContain('#1 interrupt');
  expect(log).toContain('#2 message user "are you open"');
  expect(errors).toEqual([]);
});
