/** Items and events of the OpenAI Realtime API (GA), as far as the session writes or reads them. */
import { messageText, type FinishReason, type Message, type Usage } from '../../core/element.ts';
import { AntiphonError, serializeError, type ErrorData } from '../../core/errors.ts';
import { recordOf, stringOf } from '../chat/json.ts';
import { readRefusal, refusalError } from '../http/http-error.ts';
import { redact } from '../http/redact.ts';
import type { JsonObject } from './json-socket.ts';
import type { RealtimeToolResult } from './realtime.ts';

/** A field that is a finite number. */
export function numberIn(value: JsonObject, key: string): number | undefined {
  const field = value[key];
  return typeof field === 'number' && Number.isFinite(field) ? field : undefined;
}

/**
 * Conversation items for one message of the past. The API takes no audio of an assistant, so replies are
 * `output_text`. A message that says nothing gives none.
 */
export function itemsOf(message: Message): JsonObject[] {
  const text = messageText(message);
  const said = (role: string, type: string): JsonObject[] =>
    text === '' ? [] : [{ type: 'message', role, content: [{ type, text }] }];
  switch (message.role) {
    case 'assistant':
      return [
        ...said('assistant', 'output_text'),
        ...(message.toolCalls ?? []).map((call) => ({
          type: 'function_call',
          call_id: call.id,
          name: call.name,
          arguments: JSON.stringify(call.arguments ?? {}),
        })),
      ];
    case 'tool':
      return [{ type: 'function_call_output', call_id: message.toolCallId ?? '', output: text }];
    default:
      return said(message.role, 'input_text');
  }
}

/** The item of something typed. */
export function userItem(text: string): JsonObject {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

/** A result in words, for a session that has no call to answer. */
export function resultWords({ name, text }: RealtimeToolResult): string {
  return `The result of ${name} has come:\n${text}`;
}

/** The item that answers a call. */
export function resultItem({ callId, text }: RealtimeToolResult): JsonObject {
  return { type: 'function_call_output', call_id: callId, output: text };
}

/** Why a response ended. */
export function reasonOf(response: JsonObject): FinishReason {
  const status = stringOf(response['status']);
  if (status === 'cancelled') return 'interrupted';
  if (status === 'failed') return 'error';
  if (status !== 'incomplete') return 'stop';
  const reason = stringOf(recordOf(response['status_details'])['reason']);
  if (reason === 'max_output_tokens') return 'length';
  return reason === 'content_filter' ? 'content-filter' : reason || 'stop';
}

/** Tokens of a response, where it says. */
export function usageOf(response: JsonObject): Usage | undefined {
  const usage = recordOf(response['usage']);
  const inputTokens = numberIn(usage, 'input_tokens');
  const outputTokens = numberIn(usage, 'output_tokens');
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  return {
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
  };
}

/** A server's `error` object as ours. */
export function errorOf(error: JsonObject, where: string): ErrorData {
  const read = readRefusal(0, { error });
  // A server may repeat the credential it was given.
  const refusal = { ...read, message: redact(read.message, []) };
  if (stringOf(error['type']) !== 'invalid_request_error')
    return serializeError(refusalError(refusal, where));
  return serializeError(
    new AntiphonError('provider-request', `${where} refused: ${refusal.message}`, {
      hint: 'The server did not accept what was sent; its message says why.',
      details: { url: where, serverCode: refusal.code },
    }),
  );
}
