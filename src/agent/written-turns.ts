/** Turns that nobody spoke into the microphone, as elements. */
import { element, textMessage, type StreamElement } from '../core/element.ts';

/** What the person typed; an answer under way is interrupted first. */
export function typedTurn(turn: number, text: string, interrupts: boolean): StreamElement[] {
  const facts = { turn, source: 'typed' };
  return [
    ...(interrupts ? [element('interrupt', { turn: turn - 1, source: 'typed' })] : []),
    element('transcript', { ...facts, text, final: true }),
    element('message', { ...facts, message: textMessage('user', text) }),
    element('turn-end', facts),
  ];
}

/** The end of a turn in which nobody said anything: calls were answered, and the mind goes on. */
export function answeredTurn(turn: number): StreamElement[] {
  return [element('turn-end', { turn, source: 'answer' })];
}

/** What the assistant is made to say. */
export function saidTurn(turn: number, text: string): StreamElement[] {
  const facts = { turn, source: 'say' };
  const message = textMessage('assistant', text, { generated: text, finishReason: 'stop' });
  return [element('message', { ...facts, message }), element('turn-end', facts)];
}
