/** Stream parts of an AI SDK language model, versions 2 to 4 → provider parts. */
import type { Usage } from '../../core/element.ts';
import { recordOf, stringOf } from '../chat/json.ts';
import type { ProviderPart } from '../provider.ts';
import { countOf, endedEarly, parseArguments } from '../reply-reader.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Follows one stream to its `finish`. */
export class PartReader {
  readonly #where: string;
  /** Open reasoning by its id. */
  readonly #reasoning = new Map<unknown, { text: string; metadata: unknown }>();
  /** Finished reasoning that waits for the call it led to. */
  #before: Fields[] = [];
  #finish: ProviderPart | undefined;
  #begun = false;

  /** `where` names the model, for errors. */
  constructor(where: string) {
    this.#where = where;
  }

  /** Throws what an `error` part holds. */
  read(value: unknown): ProviderPart[] {
    const part = recordOf(value);
    const text = stringOf(part['delta']);
    switch (part['type']) {
      case 'text-delta':
        return this.#say('text-delta', text);
      case 'reasoning-start':
      case 'reasoning-delta':
      case 'reasoning-end':
        return this.#think(part, text);
      case 'tool-call':
        return part['providerExecuted'] === true ? [] : this.#call(part);
      case 'finish':
        this.#finish = finishOf(part);
        return [];
      case 'error':
        throw part['error'];
      default:
        return [];
    }
  }

  /** The finish. Throws `provider-network` or `provider-protocol` when there was none. */
  finish(): ProviderPart[] {
    if (!this.#finish) throw endedEarly(this.#where, this.#begun);
    return [this.#finish];
  }

  #say(type: 'text-delta' | 'reasoning-delta', text: string): ProviderPart[] {
    this.#begun = true;
    return text === '' ? [] : [{ type, text }];
  }

  #think(part: Fields, text: string): ProviderPart[] {
    const open = this.#reasoning.get(part['id']) ?? { text: '', metadata: undefined };
    open.text += text;
    // A signature comes with any of the three, the last one counts.
    open.metadata = part['providerMetadata'] ?? open.metadata;
    this.#reasoning.set(part['id'], open);
    if (part['type'] === 'reasoning-end') {
      this.#reasoning.delete(part['id']);
      this.#before.push({
        type: 'reasoning',
        text: open.text,
        ...(open.metadata === undefined ? {} : { providerOptions: open.metadata }),
      });
    }
    return this.#say('reasoning-delta', text);
  }

  #call(part: Fields): ProviderPart[] {
    this.#begun = true;
    const metadata = part['providerMetadata'];
    const before = this.#before;
    this.#before = [];
    const own = {
      ...(metadata === undefined ? {} : { metadata }),
      ...(before.length === 0 ? {} : { before }),
    };
    return [
      {
        type: 'tool-call',
        call: {
          id: stringOf(part['toolCallId']),
          name: stringOf(part['toolName']),
          arguments: parseArguments(stringOf(part['input'])),
          ...(Object.keys(own).length === 0 ? {} : { providerData: { 'ai-sdk': own } }),
        },
      },
    ];
  }
}

/** Version 2 has flat words and counts, later ones nest them. */
function finishOf(part: Fields): ProviderPart {
  const { finishReason, usage } = part;
  const reason = stringOf(finishReason) || stringOf(recordOf(finishReason)['unified']);
  const { inputTokens, outputTokens } = recordOf(usage);
  const input = countOf(inputTokens) ?? countOf(recordOf(inputTokens)['total']);
  const output = countOf(outputTokens) ?? countOf(recordOf(outputTokens)['total']);
  const counts: Usage = {
    ...(input === undefined ? {} : { inputTokens: input }),
    ...(output === undefined ? {} : { outputTokens: output }),
  };
  return {
    type: 'finish',
    reason: reason === '' ? 'stop' : reason,
    ...(Object.keys(counts).length === 0 ? {} : { usage: counts }),
  };
}
