import {
  AntiphonError,
  defineStage,
  element,
  messageText,
  serializeError,
  type Stage,
} from '../../../../src/index.ts';

/** Finds what is known about a question. */
export type Search = (question: string, signal: AbortSignal) => Promise<string>;

/** Puts what a search finds into the turn's variables, as `facts`, before the question passes. */
export function lookUp(search: Search): Stage<'message', 'message' | 'error'> {
  return defineStage({
    name: 'look-up',
    type: 'transform',
    consumes: ['message'],
    emits: ['message', 'error'],
    async *process(input, context) {
      for await (const question of input) {
        const { turn, at, message } = question;
        const signal = context.turnSignal(turn);
        try {
          context.turn(turn).variables['facts'] = await search(messageText(message), signal);
        } catch (error) {
          // No turn will fare better: the run is over.
          if (AntiphonError.is(error, 'provider-auth')) throw error;
          // One turn goes on without; but who interrupted it wants to hear nothing of it.
          if (!signal.aborted) yield element('error', { turn, at, error: serializeError(error) });
        }
        yield question;
      }
    },
  });
}
