/** The events of the Messages API → provider parts. */
import type { FinishReason, Usage } from '../../core/element.ts';
import { recordOf, stringOf } from '../chat/json.ts';
import { readRefusal, refusalError } from '../http/http-error.ts';
import type { ProviderPart } from '../provider.ts';
import {
  countOf,
  endedEarly,
  parseArguments,
  parseEvent,
  type ReplyReader,
} from '../reply-reader.ts';

type Fields = Readonly<Record<string, unknown>>;

const finishReasons: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool-calls',
  refusal: 'content-filter',
};

interface OpenBlock {
  readonly start: Fields;
  text: string;
  signature: string;
  json: string;
}

/** Follows one stream from `message_start` to `message_stop`; pings and unknown events are skipped. */
export class AnthropicReader implements ReplyReader {
  readonly #where: string;
  readonly #blocks = new Map<unknown, OpenBlock>();
  /** Finished thinking that waits for the call it led to. */
  #thinking: Fields[] = [];
  #usage: Fields = {};
  #reason: FinishReason | undefined;
  #begun = false;
  #ended = false;

  /** `where` is the public address, for errors. */
  constructor(where: string) {
    this.#where = where;
  }

  get ended(): boolean {
    return this.#ended;
  }

  read(data: string, event?: string): ProviderPart[] {
    const fields = parseEvent(data, this.#where);
    const type = stringOf(fields['type']) || event;
    if (type === 'error') throw refusalError(readRefusal(0, fields), this.#where);
    if (type === 'message') return this.#whole(fields);
    if (type === 'message_start') this.#count(recordOf(fields['message'])['usage']);
    if (type === 'content_block_start') return this.#start(fields);
    if (type === 'content_block_delta') return this.#delta(fields);
    if (type === 'content_block_stop') return this.#stop(fields['index']);
    if (type === 'message_delta') {
      const reason = stringOf(recordOf(fields['delta'])['stop_reason']);
      if (reason !== '') this.#reason = finishReasons[reason] ?? reason;
      this.#count(fields['usage']);
    }
    if (type === 'message_stop') this.#ended = true;
    return [];
  }

  finish(): ProviderPart[] {
    if (this.#reason === undefined && !this.#ended) throw endedEarly(this.#where, this.#begun);
    const usage = usageOf(this.#usage);
    return [
      {
        type: 'finish',
        reason: this.#reason ?? 'stop',
        ...(usage === undefined ? {} : { usage }),
      },
    ];
  }

  /** A whole message, of a proxy that does not stream. */
  #whole(message: Fields): ProviderPart[] {
    const content = Array.isArray(message['content']) ? (message['content'] as unknown[]) : [];
    const parts = content.flatMap((block, index) => [
      ...this.#start({ index, content_block: block }),
      ...this.#stop(index),
    ]);
    const delta = { stop_reason: message['stop_reason'] };
    this.read(JSON.stringify({ type: 'message_delta', delta, usage: message['usage'] }));
    this.#ended = true;
    return parts;
  }

  #start(fields: Fields): ProviderPart[] {
    const start = recordOf(fields['content_block']);
    const text = stringOf(start['text']) || stringOf(start['thinking']);
    const block = { start, text: '', signature: stringOf(start['signature']), json: '' };
    this.#blocks.set(fields['index'], block);
    return this.#speak(block, text);
  }

  #delta(fields: Fields): ProviderPart[] {
    const block = this.#blocks.get(fields['index']);
    const delta = recordOf(fields['delta']);
    if (!block) return [];
    block.json += stringOf(delta['partial_json']);
    block.signature += stringOf(delta['signature']);
    return this.#speak(block, stringOf(delta['text']) || stringOf(delta['thinking']));
  }

  #speak(block: OpenBlock, text: string): ProviderPart[] {
    this.#begun = true;
    if (text === '') return [];
    block.text += text;
    const type = block.start['type'] === 'thinking' ? 'reasoning-delta' : 'text-delta';
    return [{ type, text }];
  }

  #stop(index: unknown): ProviderPart[] {
    const block = this.#blocks.get(index);
    if (!block) return [];
    this.#blocks.delete(index);
    const { start, text, signature, json } = block;
    if (start['type'] === 'thinking')
      this.#thinking.push({ type: 'thinking', thinking: text, signature });
    if (start['type'] === 'redacted_thinking') this.#thinking.push(start);
    if (start['type'] !== 'tool_use') return [];
    const before = this.#thinking;
    this.#thinking = [];
    return [
      {
        type: 'tool-call',
        call: {
          id: stringOf(start['id']),
          name: stringOf(start['name']),
          arguments: json === '' ? recordOf(start['input']) : parseArguments(json),
          ...(before.length === 0 ? {} : { providerData: { anthropic: { before } } }),
        },
      },
    ];
  }

  /** Later counts replace earlier ones: they are cumulative, and may be null. */
  #count(usage: unknown): void {
    const known = Object.entries(recordOf(usage)).filter(([, value]) => value !== null);
    this.#usage = { ...this.#usage, ...Object.fromEntries(known) };
  }
}

function usageOf(usage: Fields): Usage | undefined {
  const input = [
    usage['input_tokens'],
    usage['cache_creation_input_tokens'],
    usage['cache_read_input_tokens'],
  ].map(countOf);
  const outputTokens = countOf(usage['output_tokens']);
  const known = input.filter((count) => count !== undefined);
  if (known.length === 0 && outputTokens === undefined) return undefined;
  return {
    ...(known.length === 0 ? {} : { inputTokens: known.reduce((sum, count) => sum + count, 0) }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
  };
}
