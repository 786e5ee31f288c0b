/**
 * Servers for tests, in `antiphon/testing/servers`: real HTTP and WebSocket on the loopback interface. Node only.
 */
export { Gates } from './gates.ts';
export { LoopbackServer } from './loopback-server.ts';
export type { LoopbackOptions } from './loopback-server.ts';
export type { RecordedRequest, Violation } from './recorded-request.ts';
export { cutAt, refusal } from './reply.ts';
export type { Reply, ReplyStep } from './reply.ts';
export { OpenAIRealtimeServer } from './openai-realtime-server.ts';
export type { OpenAIRealtimeScript } from './openai-realtime-server.ts';
export type { OpenAIRealtimePeer } from './openai-realtime-peer.ts';
export type { OpenAIConversation, ServedItem } from './openai-realtime-conversation.ts';
export type { RealtimeReply, RealtimeStep, ScriptedTranscript } from './realtime-script.ts';
