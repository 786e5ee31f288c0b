/**
 * Servers for tests, in `antiphon/testing/servers`: real HTTP and WebSocket on the loopback interface that speak
 * the protocols of the vendors, play scripts, and are strict about what they are sent. Node only.
 */
export { Gates } from './gates.ts';
export { LoopbackServer } from './loopback-server.ts';
export type { LoopbackOptions } from './loopback-server.ts';
export type { RecordedRequest, Violation } from './recorded-request.ts';
export { cutAt, refusal } from './reply.ts';
export type { Reply, ReplyStep } from './reply.ts';
export { GeminiLiveServer } from './gemini-live-server.ts';
export type { GeminiLiveScript } from './gemini-live-server.ts';
export type { GeminiLivePeer } from './gemini-live-peer.ts';
export { OpenAIRealtimeServer } from './openai-realtime-server.ts';
export type { OpenAIRealtimeScript } from './openai-realtime-server.ts';
export type { OpenAIRealtimePeer } from './openai-realtime-peer.ts';
export type { OpenAIConversation, ServedItem } from './openai-realtime-conversation.ts';
export type { RealtimeReply, RealtimeStep, ScriptedTranscript } from './realtime-script.ts';
export { eventStream, sseData, sseEvent } from './spoken-reply.ts';
export type { ScriptedCall, SpokenReply } from './spoken-reply.ts';

export type { ProtocolServerOptions } from './http-protocol.ts';
export { chatDone, chatFrame, chatReply, openAIChatServer, openAIError } from './openai-chat.ts';
export { openAIResponsesServer, responsesReply } from './openai-responses.ts';
export { anthropicError, anthropicReply, anthropicServer } from './anthropic.ts';
export { geminiError, geminiFrame, geminiReply, geminiServer } from './gemini.ts';
export {
  pcmReply,
  speechServer,
  transcriptionReply,
  transcriptionServer,
} from './audio-servers.ts';
