import { inWorker, type WorkerStage } from '../../../../src/core/index.ts';
import type { GainOptions } from './gain.ts';

const create = (): Worker =>
  new Worker(new URL('./gain.worker.ts', import.meta.url), { type: 'module' });

/** The same stage, in a worker of its own. */
export function gainInWorker(options: GainOptions): WorkerStage<'audio', 'audio'> {
  return inWorker(create, 'gain', options, { consumes: ['audio'], emits: ['audio'] });
}
