/** Does something slow to some elements of a stream while what need not wait for them overtakes. */
import type { Kind, StreamElement } from '../../core/element.ts';
import { Doorbell, LookAhead } from './look-ahead.ts';

/** What becomes of an element, begun at once; undefined when nothing is to be done. Must not reject. */
export type AsideWork = (item: StreamElement) => Promise<readonly StreamElement[]> | undefined;

/** What the person does now does not wait for what was said before. */
const live: ReadonlySet<Kind> = new Set<Kind>([
  'audio',
  'utterance',
  'transcript',
  'speech-start',
  'speech-end',
  'interrupt',
]);

/** Elements that wait; beyond it the input does. */
const maxHeld = 64;

interface Held {
  outputs: readonly StreamElement[] | undefined;
}

/**
 * `input`, with what `work` makes of its elements in their place. The work of several goes on at a time. Microphone
 * audio, transcripts, `speech-start`, `speech-end` and interrupts overtake what is waited for; everything else
 * keeps its order. At most 64 elements wait, then the input does.
 */
export async function* putAside(
  input: AsyncIterable<StreamElement>,
  work: AsideWork,
): AsyncGenerator<StreamElement, void, undefined> {
  const bell = new Doorbell();
  const source = new LookAhead(input, bell.ring);
  const held: Held[] = [];
  let closed = false;
  const hold = (item: StreamElement, working: ReturnType<AsideWork>): void => {
    const entry: Held = { outputs: working ? undefined : [item] };
    held.push(entry);
    working
      ?.then((outputs) => {
        entry.outputs = outputs;
        bell.ring();
      })
      .catch(() => undefined);
  };
  try {
    for (;;) {
      for (let outputs = held[0]?.outputs; outputs; outputs = held[0]?.outputs) {
        held.shift();
        yield* outputs;
      }
      if (closed && held.length === 0) return;
      if (!closed && held.length < maxHeld) source.ask();
      await bell.wait();
      if (!source.ready) continue;
      const next = source.take();
      if (!next) {
        closed = true;
        continue;
      }
      const item = next.value;
      const working = work(item);
      if (!working && (held.length === 0 || live.has(item.kind))) yield item;
      else hold(item, working);
    }
  } finally {
    source.close();
  }
}
