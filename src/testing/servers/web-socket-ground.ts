/** Real WebSockets on the loopback interface, for the realtime protocol servers. */
import { LoopbackServer } from './loopback-server.ts';
import type { Ground, StartGround } from './room.ts';

/** Starts a server on a free port. */
export const webSocketGround: StartGround = async ({ subprotocol, admit, open }) => {
  // An optional peer: who needs servers of HTTP only does not install it.
  const { WebSocketServer } = await import('ws');
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 32 * 1024 * 1024,
    handleProtocols: () => subprotocol ?? false,
  });
  const http = await LoopbackServer.start({
    onUpgrade: (request, socket, head) => {
      const refusal = admit(request);
      if (refusal) socket.end(`HTTP/1.1 ${refusal.status} Refused\r\nconnection: close\r\n\r\n`);
      else sockets.handleUpgrade(request, socket, head, (one) => open(one, request));
    },
  });
  return {
    origin: http.origin.replace(/^http/, 'ws'),
    violations: http.violations,
    gates: http.gates,
    get openSockets() {
      return http.openSockets;
    },
    idle: () => http.idle(),
    close: () => http.close(),
  } satisfies Ground;
};
