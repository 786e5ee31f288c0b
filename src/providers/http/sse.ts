/** Server-sent events out of a byte stream, however it was cut into chunks. */
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { AntiphonError } from '../../core/errors.ts';

/** Characters one event may have before the stream counts as broken. */
const maxEventLength = 4 * 1024 * 1024;

/** Characters kept of lines that are no SSE. */
const maxStrayLength = 64 * 1024;

/**
 * Reads events until `read` says undefined. A last event without its blank line still counts: some
 * servers close right after it. Comments and unknown fields are skipped; UTF-8 may be split anywhere. An error
 * object that stands bare in the stream, as Gemini sends it, comes last as an `error` event.
 *
 * @throws `provider-protocol` when one event grows beyond 4 Mi characters.
 */
export async function* sseEvents(
  read: () => Promise<Uint8Array | undefined>,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  const ready: EventSourceMessage[] = [];
  let oversized = false;
  let stray = '';
  const parser = createParser({
    maxBufferSize: maxEventLength,
    onEvent: (event) => ready.push(event),
    onError: ({ type, field, value, line }) => {
      oversized ||= type === 'max-buffer-size-exceeded';
      if (type !== 'unknown-field' || stray.length > maxStrayLength) return;
      // Old llama.cpp writes `error: {…}`; everybody else's stray lines are pieces of JSON.
      stray += `${field === 'error' ? (value ?? '') : (line ?? '')}\n`;
    },
  });
  const decoder = new TextDecoder();
  for (;;) {
    const bytes = await read();
    parser.feed(
      bytes === undefined ? `${decoder.decode()}\n\n` : decoder.decode(bytes, { stream: true }),
    );
    yield* ready.splice(0);
    if (oversized)
      throw new AntiphonError('provider-protocol', 'The server sent an event of more than 4 MiB.', {
        hint: 'Check that the address is the endpoint this provider expects.',
      });
    if (bytes === undefined) break;
  }
  if (isObject(stray)) yield { id: undefined, event: 'error', data: stray };
}

function isObject(text: string): boolean {
  if (!text.trimStart().startsWith('{')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
