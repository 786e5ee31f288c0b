/** Elements in short, for the realm suites. */
import {
  element,
  messageText,
  type StreamElement,
  type TextElement,
} from '../../src/core/element.ts';

/** A text to pass through stages. */
export const text = (value: string, turn = 1): TextElement =>
  element('text', { text: value, delta: false, turn });

/** Kinds with what they say. */
export function brief(elements: readonly StreamElement[]): string[] {
  return elements.map((one) => {
    if (one.kind === 'text' || one.kind === 'transcript') return `${one.kind} ${one.text}`;
    if (one.kind === 'message') return `message ${messageText(one.message)}`;
    if (one.kind === 'error') return `error ${one.error.code}`;
    return one.kind;
  });
}
