/** Where the time of each turn went, from the end of the person's words to the first sound of the answer. */
import { byId, make } from '../dom.ts';

/** The moments of a turn, in ms on one clock; one that was not reached is absent. */
export interface Trace {
  readonly speechEnd?: number | undefined;
  readonly committed?: number | undefined;
  readonly transcribed?: number | undefined;
  readonly firstToken?: number | undefined;
  readonly firstSentence?: number | undefined;
  readonly firstAudio?: number | undefined;
  readonly heard?: number | undefined;
}

interface Segment {
  readonly name: string;
  readonly label: string;
  readonly startMs: number;
  readonly lengthMs: number;
}

const moments: readonly (readonly [keyof Trace, string, string])[] = [
  ['committed', 'endpoint', 'end of turn'],
  ['transcribed', 'transcription', 'transcription'],
  ['firstToken', 'first-token', 'first token'],
  ['firstSentence', 'first-sentence', 'first sentence'],
  ['firstAudio', 'voice', 'voice'],
  ['heard', 'speaker', 'speaker'],
];
const kept = 30;

/** The segments of a turn, in order; a moment that is missing hands its time to the next one known. */
export function segments(trace: Trace): readonly Segment[] {
  const found: Segment[] = [];
  let start = trace.speechEnd;
  let zero = start;
  for (const [moment, name, label] of moments) {
    const at = trace[moment];
    if (at === undefined) continue;
    if (start !== undefined && zero !== undefined)
      found.push({
        name,
        label,
        startMs: Math.max(0, start - zero),
        lengthMs: Math.max(0, at - start),
      });
    zero ??= at;
    start = Math.max(start ?? at, at);
  }
  return found;
}

/** The list of turns, newest first; one at a time unfolds into its waterfall. */
export class LatencyView {
  readonly #list = byId('latency', HTMLElement);
  readonly #empty = byId('latency-empty', HTMLElement);
  #count = 0;

  /** Adds a turn; one without any two moments has nothing to show. */
  add(trace: Trace, title: string): void {
    const parts = segments(trace);
    const last = parts.at(-1);
    if (last === undefined) return;
    const totalMs = last.startMs + last.lengthMs;
    this.#empty.hidden = true;
    this.#count += 1;
    const item = make('li');
    const details = make('details');
    details.name = 'latency';
    details.title = title;
    details.append(this.#summary(parts, totalMs), waterfall(parts, totalMs));
    item.append(details);
    this.#list.prepend(item);
    details.open = true;
    while (this.#list.childElementCount > kept) this.#list.lastElementChild?.remove();
  }

  /** Forgets the turns of the conversation that was on screen. */
  clear(): void {
    this.#list.replaceChildren();
    this.#empty.hidden = false;
    this.#count = 0;
  }

  #summary(parts: readonly Segment[], totalMs: number): HTMLElement {
    const summary = make('summary');
    const stack = make('span', 'stack');
    stack.setAttribute('aria-hidden', 'true');
    for (const part of parts) {
      const bar = make('i');
      bar.dataset['segment'] = part.name;
      bar.style.flexGrow = String(Math.max(part.lengthMs, totalMs / 200));
      stack.append(bar);
    }
    summary.append(
      make('span', '', String(this.#count)),
      stack,
      make('span', '', milliseconds(totalMs)),
    );
    return summary;
  }
}

function waterfall(parts: readonly Segment[], totalMs: number): HTMLElement {
  const table = make('table', 'waterfall');
  for (const part of parts) {
    const row = table.insertRow();
    const name = make('th', '', part.label);
    name.scope = 'row';
    const place = make('td', 'bar');
    const bar = make('i');
    bar.dataset['segment'] = part.name;
    bar.style.marginInlineStart = `${(100 * part.startMs) / Math.max(1, totalMs)}%`;
    bar.style.width = `${(100 * part.lengthMs) / Math.max(1, totalMs)}%`;
    place.append(bar);
    row.append(name, place, make('td', '', milliseconds(part.lengthMs)));
  }
  return table;
}

function milliseconds(value: number): string {
  return `${Math.round(value)} ms`;
}
