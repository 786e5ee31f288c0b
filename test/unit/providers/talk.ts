/** Talks to a provider the way the stage does: through the tool loop, with its own tools. */
import { textMessage, type Message } from '../../../src/core/element.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import { toolLoop } from '../../../src/providers/tool-loop.ts';

/** A conversation with `provider`; `say` resolves with the reply. */
export function talkTo(provider: Provider): {
  say(text: string): Promise<string>;
  readonly messages: Message[];
  readonly called: string[];
} {
  const messages: Message[] = [];
  const called: string[] = [];
  return {
    messages,
    called,
    async say(text) {
      messages.push(textMessage('user', text));
      let reply = '';
      for await (const part of toolLoop({
        provider,
        tools: provider.tools ?? [],
        request: { system: '', messages },
        signal: new AbortController().signal,
        turn: 1,
        conversation: 'test',
      })) {
        if (part.type === 'text-delta') reply += part.text;
        if (part.type === 'round') messages.push(...part.messages);
        if (part.type === 'tool-call') called.push(part.call.name);
      }
      messages.push(textMessage('assistant', reply));
      return reply;
    },
  };
}
