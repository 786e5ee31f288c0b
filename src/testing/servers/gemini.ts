/** A strict server of Gemini's `streamGenerateContent`. */
import { startProtocol, type ProtocolServerOptions } from './http-protocol.ts';
import type { LoopbackServer } from './loopback-server.ts';
import type { Reply } from './reply.ts';
import {
  all,
  anyRecord,
  either,
  isRecord,
  listOf,
  oneOf,
  primitive,
  record,
  words,
  type Shape,
} from './shape.ts';
import { eventStream, fragmentsOf, piecesOf, sseData, type SpokenReply } from './spoken-reply.ts';

const signed = { 'thoughtSignature?': words, 'thought?': primitive('boolean') };

const part = either(
  record({ text: primitive('string'), ...signed }),
  record({ inlineData: record({ mimeType: words, data: words }), ...signed }),
  record({ fileData: record({ mimeType: words, fileUri: words }), ...signed }),
  record({ functionResponse: record({ 'id?': words, name: words, response: anyRecord }) }),
  record({ functionCall: record({ 'id?': words, name: words, args: anyRecord }), ...signed }),
);

type Parts = readonly Readonly<Record<string, unknown>>[];

/** Results follow the content that made the calls, as many as there were; the first call of a content is signed. */
const answeredCalls: Shape = (contents) => {
  let open: unknown[] = [];
  for (const { parts } of contents as { readonly parts: Parts }[]) {
    const names = (field: string): unknown[] =>
      parts.flatMap((each) => (isRecord(each[field]) ? [each[field]['name']] : []));
    if (names('functionResponse').join() !== open.join())
      return `functionResponse parts ${names('functionResponse').join()} do not answer ${open.join()}`;
    open = names('functionCall');
    const first = parts.find((each) => 'functionCall' in each);
    if (first && first['thoughtSignature'] === undefined)
      return 'function call is missing a thought_signature';
  }
  return open.length === 0 ? undefined : `function call ${open.join()} is not answered`;
};

const body = record({
  contents: all(
    listOf(record({ role: oneOf('user', 'model'), parts: listOf(part, 1) }), 1),
    answeredCalls,
  ),
  'systemInstruction?': record({ parts: listOf(record({ text: words }), 1) }),
  'tools?': listOf(
    record({
      functionDeclarations: listOf(
        record({
          name: words,
          'description?': primitive('string'),
          'parametersJsonSchema?': anyRecord,
        }),
        1,
      ),
    }),
    1,
  ),
  'toolConfig?': record({
    functionCallingConfig: record({
      mode: oneOf('AUTO', 'ANY', 'NONE', 'VALIDATED'),
      'allowedFunctionNames?': listOf(words, 1),
    }),
  }),
  'generationConfig?': record({
    'temperature?': primitive('number'),
    'maxOutputTokens?': primitive('number'),
    'thinkingConfig?': record({
      'includeThoughts?': primitive('boolean'),
      'thinkingBudget?': primitive('number'),
      'thinkingLevel?': oneOf('MINIMAL', 'LOW', 'MEDIUM', 'HIGH'),
    }),
  }),
});

/**
 * Starts a server at `<origin>/v1beta/models/<model>:streamGenerateContent?alt=sse`. It refuses unknown
 * fields, calls without a signature or an answer, and results that are no objects.
 */
export function geminiServer(options: ProtocolServerOptions = {}): Promise<LoopbackServer> {
  return startProtocol(
    {
      basePath: '/v1beta',
      path: /^\/v1(?:beta)?\/models\/[\w.-]+:streamGenerateContent$/,
      allowedHeaders: ['x-goog-api-key', 'content-type'],
      body,
      complaint: ({ query }) =>
        query.get('alt') === 'sse' ? undefined : 'without alt=sse the answer is one JSON array',
      credential: ({ headers }) => headers['x-goog-api-key'],
      error: geminiError,
    },
    options,
  );
}

/** Google's body of an error; in a stream it may stand bare, without `data:`. */
export function geminiError(
  status: number,
  message: string,
  details: readonly unknown[] = [],
): unknown {
  const name =
    {
      401: 'UNAUTHENTICATED',
      403: 'PERMISSION_DENIED',
      404: 'NOT_FOUND',
      429: 'RESOURCE_EXHAUSTED',
      503: 'UNAVAILABLE',
    }[status] ?? (status >= 500 ? 'INTERNAL' : 'INVALID_ARGUMENT');
  return { error: { code: status, message, status: name, details } };
}

/** One chunk of an answer. */
export function geminiFrame(
  parts: readonly object[],
  facts: Readonly<Record<string, unknown>> = {},
): string {
  const { usageMetadata, ...candidate } = facts;
  return sseData({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...candidate }],
    ...(usageMetadata === undefined ? {} : { usageMetadata }),
    modelVersion: 'scripted',
    responseId: 'r1',
  });
}

/** A whole reply: thoughts, text, whole calls (the first one signed, ids only where given), then the reason. */
export function geminiReply(spoken: SpokenReply): Reply {
  const calls = fragmentsOf(spoken).map(({ name, json }, index) => {
    const id = spoken.calls?.[index]?.id;
    return {
      functionCall: {
        ...(id === undefined ? {} : { id }),
        name,
        args: JSON.parse(json) as unknown,
      },
      ...(index === 0 ? { thoughtSignature: 'sealed' } : {}),
    };
  });
  return eventStream(
    ...piecesOf(spoken.reasoning).map((text) => geminiFrame([{ text, thought: true }])),
    ...piecesOf(spoken.text).map((text) => geminiFrame([{ text }])),
    ...calls.map((call) => geminiFrame([call])),
    geminiFrame([{ text: '' }], {
      finishReason: spoken.finish ?? 'STOP',
      ...(spoken.usage === undefined
        ? {}
        : {
            usageMetadata: {
              promptTokenCount: spoken.usage.input,
              candidatesTokenCount: spoken.usage.output,
              totalTokenCount: spoken.usage.input + spoken.usage.output,
            },
          }),
    }),
  );
}
