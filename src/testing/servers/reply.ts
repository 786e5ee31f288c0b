/** What a protocol server answers, step by step: plain data, so that a script can cross from a page to Node. */
import type { ServerResponse } from 'node:http';
import type { Gates } from './gates.ts';

/**
 * One step of a reply. A string (as UTF-8) or bytes go out as one HTTP chunk of their own; a client that was
 * slow to read may see several joined, so put gates between where that matters. `gate` waits until
 * the test opens it, `delayMs` waits that long. `head` sends the status line and the headers, which
 * otherwise go out with the first chunk. Faults: `drop` closes the socket, `reset` closes it with RST,
 * `stall` sends nothing more until the client leaves.
 */
export type ReplyStep =
  | string
  | Uint8Array
  | { readonly bytes: readonly number[] }
  | { readonly gate: string }
  | { readonly delayMs: number }
  | { readonly head: true }
  | { readonly fault: 'drop' | 'reset' | 'stall' };

/** An answer; a fault aside, it ends when its steps are done. */
export interface Reply {
  /** 200 unless given. */
  readonly status?: number;
  /** Besides those of CORS; `content-type` is an event stream unless given. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly steps: readonly ReplyStep[];
}

/** A refusal: `body` as JSON, with headers such as `retry-after`. */
export function refusal(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    steps: [JSON.stringify(body)],
  };
}

/** The bytes of `text`, cut before each of the given offsets: to split frames and characters where it hurts. */
export function cutAt(text: string, offsets: readonly number[]): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  const edges = [0, ...offsets.toSorted((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, index) => bytes.slice(edges[index], edge));
}

/** Plays a reply on a response whose socket closes at `closed`. */
export async function playReply(
  reply: Reply,
  response: ServerResponse,
  gates: Gates,
  closed: Promise<unknown>,
): Promise<void> {
  const send = async (chunk: string | Uint8Array): Promise<void> => {
    await Promise.race([new Promise((resolve) => response.write(chunk, resolve)), closed]);
    await new Promise((resolve) => setImmediate(resolve));
  };
  response.writeHead(reply.status ?? 200, {
    'content-type': 'text/event-stream',
    ...reply.headers,
  });
  for (const step of reply.steps) {
    if (response.destroyed) return;
    if (typeof step === 'string' || step instanceof Uint8Array) await send(step);
    else if ('bytes' in step) await send(Uint8Array.from(step.bytes));
    else if ('gate' in step) await Promise.race([gates.pass(step.gate), closed]);
    else if ('delayMs' in step) await pause(step.delayMs, closed);
    else if ('head' in step) response.flushHeaders();
    else if (step.fault === 'stall') await closed;
    else {
      if (step.fault === 'drop') response.socket?.destroy();
      else response.socket?.resetAndDestroy();
      return;
    }
  }
  response.end();
}

async function pause(delayMs: number, closed: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const elapsed = new Promise((resolve) => {
    timer = setTimeout(resolve, delayMs);
  });
  await Promise.race([elapsed, closed]);
  clearTimeout(timer);
}
