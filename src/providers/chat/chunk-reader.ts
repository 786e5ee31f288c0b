/** Chat completion chunks → provider parts, whatever the server's dialect. */
import type { FinishReason, Usage } from '../../core/element.ts';
import { readRefusal, refusalError } from '../http/http-error.ts';
import type { ProviderPart } from '../provider.ts';
import { endedEarly, parseEvent, type ReplyReader } from '../reply-reader.ts';
import { CallAssembler } from './call-assembler.ts';
import { arrayOf, recordOf, stringOf } from './json.ts';

const finishReasons: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'content-filter',
};

/** Content as text; some servers send an array of typed pieces, thinking among them. */
function pieces(content: unknown): { text: string; reasoning: string } {
  if (typeof content === 'string') return { text: content, reasoning: '' };
  let text = '';
  let reasoning = '';
  for (const piece of arrayOf(content)) {
    const { type, text: words, thinking } = recordOf(piece);
    if (type === 'thinking') reasoning += pieces(thinking).text;
    else text += stringOf(words);
  }
  return { text, reasoning };
}

function usageOf(value: unknown): Usage | undefined {
  const { prompt_tokens: input, completion_tokens: output } = recordOf(value);
  if (typeof input !== 'number' && typeof output !== 'number') return undefined;
  return {
    ...(typeof input === 'number' ? { inputTokens: input } : {}),
    ...(typeof output === 'number' ? { outputTokens: output } : {}),
  };
}

/** Follows one stream from its first chunk to its finish. */
export class ChunkReader implements ReplyReader {
  readonly #calls: CallAssembler;
  readonly #where: string;
  #reason: FinishReason | undefined;
  #refused = false;
  #usage: Usage | undefined;
  #spoke = false;
  #ended = false;

  /** `where` is the public address, for errors. */
  constructor(where: string) {
    this.#where = where;
    this.#calls = new CallAssembler(where);
  }

  get ended(): boolean {
    return this.#ended;
  }

  read(data: string, event?: string): ProviderPart[] {
    this.#ended = data.trim() === '[DONE]';
    if (this.#ended) return [];
    const chunk = parseEvent(data, this.#where);
    if (event === 'error' || Boolean(chunk['error']))
      throw refusalError(readRefusal(0, chunk), this.#where);
    return this.readChunk(chunk);
  }

  /** The deltas of one chunk, or of a whole completion that was not streamed. */
  readChunk(chunk: Readonly<Record<string, unknown>>): ProviderPart[] {
    this.#usage = usageOf(chunk['usage']) ?? this.#usage;
    const choice = recordOf(arrayOf(chunk['choices'])[0]);
    // A whole completion, which some servers send although asked to stream.
    this.#ended = 'message' in choice;
    const delta = recordOf(choice['delta'] ?? choice['message']);
    const reason = stringOf(choice['finish_reason']);
    if (reason !== '') this.#reason = finishReasons[reason] ?? reason;
    this.#calls.add(delta['tool_calls']);
    const content = pieces(delta['content']);
    const reasoning =
      stringOf(delta['reasoning_content']) || stringOf(delta['reasoning']) || content.reasoning;
    const refusal = stringOf(delta['refusal']);
    this.#refused ||= refusal !== '';
    const parts: ProviderPart[] = [];
    if (reasoning !== '') parts.push({ type: 'reasoning-delta', text: reasoning });
    const text = content.text + refusal;
    if (text !== '') parts.push({ type: 'text-delta', text });
    this.#spoke ||= text !== '';
    return parts;
  }

  finish(): ProviderPart[] {
    const begun = this.#spoke || this.#calls.begun;
    // Without a reason only [DONE] tells an end from a cut.
    if (this.#reason === undefined && !(this.#ended && begun)) throw endedEarly(this.#where, begun);
    const calls = this.#calls.finish();
    const stopped = this.#reason ?? 'stop';
    const reason = calls.length > 0 && stopped === 'stop' ? 'tool-calls' : stopped;
    return [
      ...calls.map((call) => ({ type: 'tool-call', call }) as const),
      {
        type: 'finish',
        reason: this.#refused && reason === 'stop' ? 'content-filter' : reason,
        ...(this.#usage === undefined ? {} : { usage: this.#usage }),
      },
    ];
  }
}
