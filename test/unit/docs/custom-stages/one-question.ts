import { accumulate, messageText, type Stage } from '../../../../src/index.ts';

/** Makes one message of all that was said in a turn. */
export function oneQuestion(): Stage<'message', 'message'> {
  return accumulate({
    name: 'one-question',
    consumes: ['message'],
    emits: ['message'],
    until: ['turn-end'],
    flush(messages) {
      const text = messages.map(({ message }) => messageText(message)).join(' ');
      return messages.slice(0, 1).map((first) => ({
        ...first,
        message: { ...first.message, parts: [{ type: 'text', text }] },
      }));
    },
  });
}
