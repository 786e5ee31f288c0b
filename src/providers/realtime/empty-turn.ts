/** A turn of the person in which nothing was said. */
import type { RealtimeEvent } from './realtime.ts';

/** Tells such a turn: no words, and an answer without any. */
export function tellEmptyTurn(onEvent: (event: RealtimeEvent) => void, utterance: string): void {
  const reply = `none ${utterance}`;
  onEvent({ type: 'user-transcript', utterance, text: '' });
  onEvent({ type: 'reply-started', reply, utterance });
  onEvent({ type: 'reply-done', reply, reason: 'stop' });
}
