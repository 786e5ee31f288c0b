/** The chunks of `streamGenerateContent` → provider parts. */
import type { FinishReason, ToolCall, Usage } from '../../core/element.ts';
import { AntiphonError } from '../../core/errors.ts';
import { arrayOf, recordOf, stringOf } from '../chat/json.ts';
import { readRefusal, refusalError } from '../http/http-error.ts';
import type { ProviderPart } from '../provider.ts';
import { countOf, endedEarly, parseEvent, type ReplyReader } from '../reply-reader.ts';

type Fields = Readonly<Record<string, unknown>>;

function finishReason(reason: string, called: boolean): FinishReason {
  if (reason === 'STOP') return called ? 'tool-calls' : 'stop';
  if (reason === 'MAX_TOKENS') return 'length';
  if (/SAFETY|RECITATION|BLOCKLIST|PROHIBITED|SPII/.test(reason)) return 'content-filter';
  if (/MALFORMED|UNEXPECTED|TOO_MANY/.test(reason)) return 'error';
  return reason;
}

/** Follows one stream; it has no end mark, so a finish reason tells an end from a cut. */
export class GeminiReader implements ReplyReader {
  readonly ended = false;
  readonly #where: string;
  #usage: Fields | undefined;
  #reason = '';
  #message = '';
  #begun = false;
  #called = false;

  /** `where` is the public address, for errors. */
  constructor(where: string) {
    this.#where = where;
  }

  read(data: string, event?: string): ProviderPart[] {
    const chunk = parseEvent(data, this.#where);
    if (event === 'error' || chunk['error'] !== undefined)
      throw refusalError(readRefusal(0, chunk), this.#where);
    if (chunk['usageMetadata'] !== undefined) this.#usage = recordOf(chunk['usageMetadata']);
    const blocked = stringOf(recordOf(chunk['promptFeedback'])['blockReason']);
    if (blocked !== '') throw this.#refused(blocked);
    const candidate = recordOf(arrayOf(chunk['candidates'])[0]);
    this.#reason = stringOf(candidate['finishReason']) || this.#reason;
    this.#message = stringOf(candidate['finishMessage']) || this.#message;
    const parts = arrayOf(recordOf(candidate['content'])['parts']);
    return parts.flatMap((part) => this.#part(recordOf(part)));
  }

  finish(): ProviderPart[] {
    if (this.#reason === '') throw endedEarly(this.#where, this.#begun);
    const reason = finishReason(this.#reason, this.#called);
    if (reason === 'error' && !this.#begun) throw this.#malformed();
    const usage = usageOf(this.#usage);
    return [{ type: 'finish', reason, ...(usage === undefined ? {} : { usage }) }];
  }

  #part(part: Fields): ProviderPart[] {
    if (part['functionCall'] !== undefined) {
      this.#begun = this.#called = true;
      return [{ type: 'tool-call', call: callOf(part) }];
    }
    const text = stringOf(part['text']);
    if (text === '') return [];
    this.#begun = true;
    return [{ type: part['thought'] === true ? 'reasoning-delta' : 'text-delta', text }];
  }

  #refused(reason: string): AntiphonError {
    return new AntiphonError('content-filter', `${this.#where} refused the prompt: ${reason}.`, {
      hint: 'The provider refused this content; say it differently.',
      details: { url: this.#where, serverCode: reason },
    });
  }

  /** The model made a call that was none; another attempt usually succeeds. */
  #malformed(): AntiphonError {
    const what = this.#message === '' ? '' : `: ${this.#message.slice(0, 200)}`;
    return new AntiphonError(
      'provider-protocol',
      `${this.#where} gave no answer, ${this.#reason}${what}.`,
      {
        hint: 'Try again, or make the schemas of the tools simpler.',
        retryable: true,
        details: { url: this.#where, serverCode: this.#reason },
      },
    );
  }
}

function callOf(part: Fields): ToolCall {
  const { id, name, args } = recordOf(part['functionCall']);
  const given = stringOf(id);
  const thoughtSignature = stringOf(part['thoughtSignature']);
  return {
    id: given === '' ? `call_${crypto.randomUUID()}` : given,
    name: stringOf(name),
    arguments: args ?? {},
    providerData: {
      gemini: {
        ...(given === '' ? {} : { id: given }),
        ...(thoughtSignature === '' ? {} : { thoughtSignature }),
      },
    },
  };
}

/** Thoughts are paid like output, but counted apart. */
function usageOf(usage: Fields | undefined): Usage | undefined {
  if (!usage) return undefined;
  const inputTokens = countOf(usage['promptTokenCount']);
  const answered = countOf(usage['candidatesTokenCount']);
  const thought = countOf(usage['thoughtsTokenCount']);
  return {
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(answered === undefined && thought === undefined
      ? {}
      : { outputTokens: (answered ?? 0) + (thought ?? 0) }),
  };
}
