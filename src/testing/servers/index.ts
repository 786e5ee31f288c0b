/**
 * Servers for tests, in `antiphon/testing/servers`: real HTTP and WebSocket on the loopback interface. Node only.
 */
export { Gates } from './gates.ts';
export { LoopbackServer } from './loopback-server.ts';
export type { LoopbackOptions } from './loopback-server.ts';
export type { RecordedRequest, Violation } from './recorded-request.ts';
export { cutAt, refusal } from './reply.ts';
export type { Reply, ReplyStep } from './reply.ts';
