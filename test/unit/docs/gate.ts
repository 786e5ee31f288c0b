import { inWorker, type Stage } from '../../../src/core/index.ts';

const create = (): Worker =>
  new Worker(new URL('./gate.worker.ts', import.meta.url), { type: 'module' });

/** The wake word, heard in a worker. */
export const gate: Stage<'message', 'message'> = inWorker(
  create,
  'gate',
  { word: 'computer' },
  { consumes: ['message'], emits: ['message'] },
);
