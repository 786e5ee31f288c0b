/** A test file that goes wrong in every way; what tells it to a page is tried with it. */
import { describe, expect, it } from 'vitest';

it('is right', () => {
  expect(self).toBeInstanceOf(globalThis.constructor);
});
describe('a group', () => {
  it('is wrong', () => {
    expect(1).toBe(2);
  });
});
it('waits for ever', () => new Promise<void>(() => {}));
// On purpose: what is left out in a worker has to count as a failure there.
it.skip('is left out', () => {});
it('leaves an error behind', async () => {
  void Promise.reject(new Error('nobody caught it'));
  await new Promise((resolve) => setTimeout(resolve));
});
it('throws where nobody can catch it', async () => {
  setTimeout(() => {
    throw new Error('out of the blue');
  });
  await new Promise((resolve) => setTimeout(resolve, 1));
});
