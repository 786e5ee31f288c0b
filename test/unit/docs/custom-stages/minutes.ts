import { sink, type Stage } from '../../../../src/index.ts';

/** Writes down what was said; a writer that takes its time holds up the stage before. */
export function minutes(write: (line: string) => void | Promise<void>): Stage<'transcript', never> {
  return sink({
    name: 'minutes',
    consumes: ['transcript'],
    take: ({ final, at, text }) => (final ? write(`${at} ${text}`) : undefined),
  });
}
