/** The sockets of Node: those of the package `ws`, since Node 20 has none of its own. */
import { WebSocket } from 'ws';
import type { WebSocketClass } from '../../../src/providers/realtime/json-socket.ts';

/** A `WebSocket` as pages have it. */
export const webSocket = WebSocket as unknown as WebSocketClass;

/** What the servers stand on by themselves: real sockets. */
export const ground = undefined;
