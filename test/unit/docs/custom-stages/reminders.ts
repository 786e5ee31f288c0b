import { element, generate, sleep, type Stage } from '../../../../src/index.ts';

/** Says something again and again. */
export function reminders(text: string, everyMs: number): Stage<never, 'text'> {
  return generate({
    name: 'reminders',
    emits: ['text'],
    async *generate({ clock, signal }) {
      for (;;) {
        await sleep(clock, everyMs, signal);
        yield element('text', { text, delta: false, at: clock.now() });
      }
    },
  });
}
