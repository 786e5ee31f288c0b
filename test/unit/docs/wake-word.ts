import { messageText, transform, type Stage } from '../../../src/index.ts';

/** Lets through only what begins with the wake word, without that word. */
export function wakeWord(word: string): Stage<'message', 'message'> {
  return transform({
    name: 'wake-word',
    consumes: ['message'],
    emits: ['message'],
    process(element) {
      const { message } = element;
      if (message.role !== 'user') return element;
      const said = messageText(message);
      if (!said.toLowerCase().startsWith(word)) return undefined;
      const text = said.slice(word.length).trim();
      return { ...element, message: { ...message, parts: [{ type: 'text', text }] } };
    },
  });
}
