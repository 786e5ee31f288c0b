import { defineStage, type Stage } from '../../../src/index.ts';

type Translate = (text: string, signal: AbortSignal) => Promise<string>;

/** Translates what the person said; gives up on a turn the moment it is interrupted. */
export function translator(translate: Translate): Stage<'transcript', 'transcript'> {
  return defineStage({
    name: 'translator',
    type: 'transform',
    consumes: ['transcript'],
    emits: ['transcript'],
    async *process(input, context) {
      for await (const transcript of input) {
        const signal = context.turnSignal(transcript.turn);
        try {
          yield { ...transcript, text: await translate(transcript.text, signal) };
        } catch (error) {
          if (!signal.aborted) throw error; // fails the run
        }
      }
    },
  });
}
