/** A test file whose test never gives the thread back. */
import { it } from 'vitest';

it('spins', () => {
  for (;;);
});
