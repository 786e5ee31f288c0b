/** What a scripted model says, before it is put into one vendor's events. */
import type { Reply, ReplyStep } from './reply.ts';

/** A call the scripted model makes. */
export interface ScriptedCall {
  /** `call_1`, `call_2` … unless given. */
  readonly id?: string;
  readonly name: string;
  readonly arguments: unknown;
}

/** One reply in vendor-neutral words. A list of strings is streamed in these pieces. */
export interface SpokenReply {
  readonly reasoning?: string | readonly string[];
  readonly text?: string | readonly string[];
  readonly calls?: readonly ScriptedCall[];
  /** The vendor's own reason; what fits the content unless given. */
  readonly finish?: string;
  /** Not reported unless given. */
  readonly usage?: { readonly input: number; readonly output: number };
  /** Characters of each fragment of a call's arguments, where the vendor cuts them; whole unless given. */
  readonly fragmentLength?: number;
}

/** A frame of an event stream with this data. */
export function sseData(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** A named frame; most vendors repeat the name as `type` in the data. */
export function sseEvent(event: string, value: Readonly<Record<string, unknown>>): string {
  return `event: ${event}\ndata: ${JSON.stringify({ type: event, ...value })}\n\n`;
}

/** A reply of these frames, each a chunk of its own. */
export function eventStream(...steps: readonly ReplyStep[]): Reply {
  return { headers: { 'content-type': 'text/event-stream; charset=utf-8' }, steps };
}

/** The pieces of what is said. */
export function piecesOf(said: string | readonly string[] | undefined): readonly string[] {
  if (said === undefined) return [];
  return typeof said === 'string' ? [said] : said;
}

/** The calls with their ids and arguments as the fragments of JSON they are streamed in. */
export function fragmentsOf({
  calls = [],
  fragmentLength = Number.POSITIVE_INFINITY,
}: SpokenReply): {
  readonly id: string;
  readonly name: string;
  readonly json: string;
  readonly fragments: readonly string[];
}[] {
  return calls.map((call, index) => {
    const json = JSON.stringify(call.arguments);
    const fragments: string[] = [];
    for (let at = 0; at < json.length; at += fragmentLength)
      fragments.push(json.slice(at, at + fragmentLength));
    return { id: call.id ?? `call_${index + 1}`, name: call.name, json, fragments };
  });
}
