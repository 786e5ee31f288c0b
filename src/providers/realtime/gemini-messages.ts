/** Messages of the Gemini Live API as the session writes them, and small reads of what comes. */
import { messageText, type Message, type ToolCall, type Usage } from '../../core/element.ts';
import { arrayOf, recordOf, stringOf } from '../chat/json.ts';
import type { JsonObject } from './json-socket.ts';
import { numberIn } from './openai-events.ts';
import type { RealtimeSetup, RealtimeToolResult } from './realtime.ts';

/** Of the audio the session takes, in hertz. */
export const geminiInputRate = 16_000;

/** The past as `clientContent`: texts only, since calls of the past need signatures that are not kept. */
export function historyContent(history: readonly Message[]): JsonObject | undefined {
  const turns = history.flatMap((message) => {
    const text = messageText(message);
    if (text === '' || message.role === 'tool' || message.role === 'system') return [];
    return { role: message.role === 'assistant' ? 'model' : 'user', parts: [{ text }] };
  });
  return turns.length === 0 ? undefined : { clientContent: { turns, turnComplete: true } };
}

/** Declarations of tools. */
export function toolsOf({ tools }: RealtimeSetup, behavior: string | undefined): JsonObject[] {
  if (tools.length === 0) return [];
  return [
    {
      functionDeclarations: tools.map(({ name, description, parameters }) => ({
        name,
        description,
        parametersJsonSchema: parameters,
        ...(behavior === undefined ? {} : { behavior }),
      })),
    },
  ];
}

/**
 * Results of calls; the API closes the connection on a `response` that is no object. `respond`: the model is to go on
 * with them.
 */
export function toolResponse(results: readonly RealtimeToolResult[], respond: boolean): JsonObject {
  return {
    toolResponse: {
      functionResponses: results.map(({ callId, name, text, isError }) => ({
        id: callId,
        name,
        response: isError ? { error: text } : { output: text },
        // Heeded where calls do not block; the others are silenced here.
        ...(respond ? {} : { scheduling: 'SILENT' }),
      })),
    },
  };
}

/** The calls in a `toolCall`. */
export function callsOf(toolCall: JsonObject): ToolCall[] {
  return arrayOf(toolCall['functionCalls'])
    .map(recordOf)
    .map(({ id, name, args }) => ({
      id: stringOf(id),
      name: stringOf(name),
      arguments: args ?? {},
    }));
}

/** Tokens, under the names of this API. */
export function liveUsage(metadata: JsonObject): Usage | undefined {
  const inputTokens = numberIn(metadata, 'promptTokenCount');
  const outputTokens = numberIn(metadata, 'responseTokenCount');
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  return {
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
  };
}

/** Milliseconds of a protobuf duration such as `10s` or `1.5s`. */
export function durationMs(duration: unknown): number {
  const seconds = Number(/^(-?[\d.]+)s$/.exec(String(duration))?.[1] ?? Number.NaN);
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : 0;
}

/** A field that is an object, where there is one. */
export function partOf(message: JsonObject, key: string): JsonObject | undefined {
  return typeof message[key] === 'object' && message[key] !== null
    ? recordOf(message[key])
    : undefined;
}
