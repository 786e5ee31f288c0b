/** Node's side of the shared suite: scenarios → replies of a protocol server. */
import {
  anthropicError,
  anthropicReply,
  anthropicServer,
  chatReply,
  eventStream,
  geminiError,
  geminiReply,
  geminiServer,
  openAIChatServer,
  openAIError,
  openAIResponsesServer,
  refusal,
  responsesReply,
  sseData,
  sseEvent,
  type LoopbackServer,
  type ProtocolServerOptions,
  type Reply,
  type ReplyStep,
  type SpokenReply,
} from '../../src/testing/servers/index.ts';
import type { RemoteServer, Scenario, Vendor } from './scenario.ts';

interface Side {
  readonly start: (options: ProtocolServerOptions) => Promise<LoopbackServer>;
  readonly reply: (spoken: SpokenReply) => Reply;
  readonly error: (status: number, message: string) => unknown;
  readonly errorFrame: (status: number, message: string) => string;
}

const chatError = (status: number, message: string): unknown =>
  openAIError(status, message, status);

const sides: Readonly<Record<Vendor, Side>> = {
  chat: {
    start: openAIChatServer,
    reply: chatReply,
    error: openAIError,
    errorFrame: (status, message) => sseData(chatError(status, message)),
  },
  responses: {
    start: openAIResponsesServer,
    reply: responsesReply,
    error: openAIError,
    errorFrame: (status, message) =>
      sseEvent('error', {
        code: status === 429 ? 'rate_limit_exceeded' : 'server_error',
        message,
        param: null,
        sequence_number: 9,
      }),
  },
  anthropic: {
    start: anthropicServer,
    reply: anthropicReply,
    error: anthropicError,
    errorFrame: (status, message) => sseEvent('error', anthropicError(status, message)),
  },
  gemini: {
    start: geminiServer,
    reply: geminiReply,
    error: geminiError,
    // Bare and over several lines, as Google's front end writes it.
    errorFrame: (status, message) => JSON.stringify(geminiError(status, message), undefined, 2),
  },
};

/** Starts a vendor's server on replies of its own. */
export function startVendorServer(
  vendor: Vendor,
  options: ProtocolServerOptions,
): Promise<LoopbackServer> {
  return sides[vendor].start(options);
}

/** The frames of a whole reply; how many there are differs between vendors. */
export function framesOf(vendor: Vendor, spoken: SpokenReply): readonly string[] {
  return sides[vendor].reply(spoken).steps.filter((step) => typeof step === 'string');
}

function replyOf(vendor: Vendor, scenario: Scenario): Reply {
  const side = sides[vendor];
  if ('raw' in scenario) return scenario.raw;
  if ('status' in scenario)
    return refusal(
      scenario.status,
      side.error(scenario.status, scenario.message),
      scenario.headers,
    );
  const frames = framesOf(vendor, scenario.spoken);
  const { fault, error, gated = false, bytewise = false } = scenario;
  const sent = frames.slice(0, fault?.frame ?? error?.frame);
  if (error) sent.push(side.errorFrame(error.status, error.message));
  let steps: ReplyStep[] = bytewise
    ? Array.from(new TextEncoder().encode(sent.join('')), (byte) => ({ bytes: [byte] }))
    : sent;
  if (gated) steps = steps.flatMap((step, index) => [{ gate: `g${index}` }, step]);
  const pieces = scenario.gatedText === true ? [scenario.spoken.text ?? []].flat() : [];
  for (const [index, piece] of pieces.entries()) {
    const frame = steps.findIndex((step) => typeof step === 'string' && step.includes(piece));
    steps.splice(frame, 0, { gate: `t${index}` });
  }
  if (fault) steps.push({ head: true }, { fault: fault.kind });
  return eventStream(...steps);
}

/** Starts a server in this process. */
export async function startScenarioServer(
  vendor: Vendor,
  scenarios: readonly Scenario[],
): Promise<RemoteServer> {
  const replies = scenarios.map((scenario) => replyOf(vendor, scenario));
  const server = await sides[vendor].start({ replies });
  return {
    baseURL: server.baseURL,
    open: async (gate) => server.gates.open(gate),
    reached: (gate) => server.gates.reached(gate),
    idle: () => server.idle(),
    requests: async () =>
      server.requests.map(({ method, path, headers, body }) => ({ method, path, headers, body })),
    ended: async (index) => server.requests[index]!.ended,
    violations: async () => server.violations,
    close: () => server.close(),
  };
}
