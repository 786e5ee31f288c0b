/** Small graphs and stages for tests of the flow family. */
import { vi } from 'vitest';
import { element, type StreamElement, type TextElement } from '../../../src/core/element.ts';
import type { Stage } from '../../../src/core/stage/stage.ts';

export const text = (value: string | number, turn = 1): TextElement =>
  element('text', { text: String(value), delta: false, turn });

export const texts = (count: number): TextElement[] =>
  Array.from({ length: count }, (_, index) => text(index));

/** Passes everything on under its own name as source, and keeps it. */
export const recording = (name: string): Stage & { readonly seen: StreamElement[] } => {
  const seen: StreamElement[] = [];
  return {
    name,
    type: 'transform',
    consumes: [],
    emits: [],
    seen,
    async *process(input) {
      for await (const one of input) {
        seen.push(one);
        yield { ...one, source: name };
      }
    },
  };
};

/** Texts by their text, other kinds by name. */
export const brief = (elements: readonly StreamElement[]): string[] =>
  elements.map((one) => (one.kind === 'text' ? one.text : `<${one.kind}>`));

/** A random source that gives these numbers again and again. */
export const cycling = (...numbers: readonly number[]): (() => number) => {
  let next = 0;
  return vi.fn(() => numbers[next++ % numbers.length] ?? 0);
};
