import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { cutAt, LoopbackServer, refusal } from '../../../src/testing/servers/index.ts';
import type { LoopbackOptions } from '../../../src/testing/servers/index.ts';

const servers: LoopbackServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(options: LoopbackOptions): Promise<LoopbackServer> {
  const server = await LoopbackServer.start(options);
  servers.push(server);
  return server;
}

/** What a plain socket gets for a GET, until the server or nobody sends more. */
async function raw(server: LoopbackServer, head: string): Promise<string> {
  const socket = connect(Number(new URL(server.origin).port), '127.0.0.1');
  let got = '';
  socket.on('data', (data: Buffer) => (got += data.toString('latin1')));
  socket.write(`GET / HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n`);
  await once(socket, 'close');
  return got;
}

describe('a loopback server', () => {
  it('sends each step as a chunk of its own, malformed bytes too', async () => {
    const steps = [...cutAt('data: é\n\n', [7]), { bytes: [0xff, 0xfe] }, 'end'];
    const server = await start({ replies: [{ steps }] });
    expect(await raw(server, 'connection: close')).toMatch(
      /\r\n\r\n7\r\ndata: Ã\r\n3\r\n©\n\n\r\n2\r\nÿþ\r\n3\r\nend\r\n0\r\n\r\n$/,
    );
    expect(await server.requests[0]?.ended).toBe('complete');
    await server.idle();
    expect(server.openSockets).toBe(0);
  });

  it('waits at a gate before and after the headers', async () => {
    const server = await start({
      replies: [{ steps: [{ gate: 'head' }, { head: true }, { gate: 'body' }, 'x'] }],
    });
    const answer = fetch(server.origin);
    await server.gates.reached('head');
    server.gates.open('head');
    const response = await answer;
    await server.gates.reached('body');
    expect(server.openSockets).toBe(1);
    server.gates.open('body');
    expect(await response.text()).toBe('x');
  });

  it.each(['drop', 'reset'] as const)('breaks off by %s', async (fault) => {
    const server = await start({ replies: [{ steps: ['begun', { fault }] }] });
    await expect(fetch(server.origin).then((response) => response.text())).rejects.toThrow();
    expect(await server.requests[0]?.ended).toBe('cut');
  });

  it('stalls until the client leaves, and sees it leave', async () => {
    const server = await start({ replies: [{ steps: ['begun', { fault: 'stall' }] }] });
    const controller = new AbortController();
    const response = await fetch(server.origin, { signal: controller.signal });
    await response.body!.getReader().read();
    controller.abort();
    expect(await server.requests[0]?.ended).toBe('cut');
    await server.idle();
  });

  it('gives its replies in turn, the last from then on, and records what came', async () => {
    const server = await start({
      replies: [refusal(429, { error: 'slow' }, { 'retry-after': '2' }), { steps: ['ok'] }],
    });
    const first = await fetch(`${server.origin}/a?b=c`, { method: 'POST', body: '{"d":1}' });
    expect(first.status).toBe(429);
    expect(first.headers.get('retry-after')).toBe('2');
    for (const path of ['/2', '/3'])
      expect(await (await fetch(server.origin + path)).text()).toBe('ok');
    expect(server.requests[0]).toMatchObject({ method: 'POST', path: '/a', body: { d: 1 } });
    expect(server.requests[0]?.query.get('b')).toBe('c');
    expect(server.requests.map(({ path }) => path)).toEqual(['/a', '/2', '/3']);
    expect(server.violations).toEqual([]);
  });

  it('reads a form with a file', async () => {
    const server = await start({ replies: [{ steps: ['ok'] }] });
    const form = new FormData();
    form.append('model', 'm');
    form.append('file', new Blob(['abc']), 'a.wav');
    await fetch(server.origin, { method: 'POST', body: form });
    expect(server.requests[0]?.body).toMatchObject({
      model: 'm',
      file: { name: 'a.wav', size: 3 },
    });
  });

  it('answers a violation as it was told, and one without a script', async () => {
    const server = await start({
      inspect: ({ method }) =>
        method === 'GET' ? undefined : { message: 'only GET', status: 405, body: { no: true } },
    });
    const response = await fetch(server.origin, { method: 'DELETE' });
    expect([response.status, await response.json()]).toEqual([405, { no: true }]);
    expect((await fetch(server.origin)).status).toBe(500);
    expect(server.violations).toEqual(['only GET', 'nothing is scripted for GET /']);
  });

  it('lets a page send the headers it lists and no other', async () => {
    const server = await start({ replies: [{ steps: ['ok'] }] });
    const ask = (names: string): Promise<Response> =>
      fetch(server.origin, {
        method: 'OPTIONS',
        headers: { 'access-control-request-headers': names },
      });
    expect((await ask('Content-Type, authorization')).status).toBe(204);
    expect((await ask('content-type,x-stray')).status).toBe(403);
    expect(server.violations).toEqual(['a page may not send the headers x-stray']);
    expect(server.requests).toEqual([]);
  });

  it('hands over sockets that become WebSockets, or refuses them', async () => {
    const taken = await start({ onUpgrade: (_, socket) => socket.end('taken') });
    const refusing = await start({});
    const upgrade = 'connection: upgrade\r\nupgrade: websocket';
    expect(await raw(taken, upgrade)).toBe('taken');
    expect(await raw(refusing, upgrade)).toBe('');
    await taken.idle();
    expect(refusing.violations).toEqual(['no WebSocket is served at /']);
  });

  it('cuts what is open when it closes', async () => {
    const server = await LoopbackServer.start({ replies: [{ steps: [{ gate: 'never' }] }] });
    const answer = fetch(server.origin);
    await server.gates.reached('never');
    await server.close();
    await expect(answer).rejects.toThrow();
  });
});
