/** A test file that can't be loaded. */
import { it } from 'vitest';

it('is never run', () => {});
throw new Error('not even loaded');
