/** Loading models and running them, in Node: ORT's wasm build needs no browser. */
import { readFile } from 'node:fs/promises';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchAsset } from '../../../src/speech/fetch-asset.ts';
import {
  createSession,
  disposeTensors,
  ort,
  runSession,
} from '../../../src/speech/onnx-runtime.ts';
import { serialQueue } from '../../../src/speech/serial-queue.ts';

const model = new URL('../../../assets/silero_vad_v6.onnx', import.meta.url);

let server: Server;
let base: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/model.onnx') {
      void readFile(model).then((bytes) =>
        response.writeHead(200, { 'content-length': String(bytes.length) }).end(bytes),
      );
    } else if (request.url === '/fallback.onnx') {
      response.writeHead(200, { 'content-type': 'text/html' }).end('\n<!DOCTYPE html><p>home');
    } else if (request.url === '/empty.onnx') response.writeHead(200).end();
    else if (request.url === '/hangs.onnx') response.writeHead(200).write('part');
    else if (request.url === '/text.onnx') response.writeHead(200).end('not a model');
    else response.writeHead(404).end('gone');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('fetchAsset', () => {
  it('reports bytes that add up to the file', async () => {
    const seen: { asset: string; loaded: number; total: number }[] = [];
    const bytes = await fetchAsset(`${base}/model.onnx`, { onProgress: (at) => seen.push(at) });
    expect(bytes).toHaveLength((await readFile(model)).length);
    expect(seen.at(-1)).toEqual({ asset: 'model.onnx', loaded: bytes.length, total: bytes.length });
    expect(
      seen.every((at, index) => index === 0 || at.loaded > (seen[index - 1]?.loaded ?? 0)),
    ).toBe(true);
  });

  it.each([
    ['missing.onnx', 'answered 404'],
    ['fallback.onnx', 'web page'],
    ['empty.onnx', 'empty'],
  ])('refuses %s with a model-load error that names the address', async (file, what) => {
    const failure = fetchAsset(`${base}/${file}`);
    await expect(failure).rejects.toMatchObject({
      code: 'model-load',
      message: expect.stringContaining(what),
      details: { url: `${base}/${file}` },
      hint: expect.stringContaining('Serve the file'),
    });
  });

  it('says that an unreachable server may be tried again', async () => {
    await expect(fetchAsset('http://127.0.0.1:9/model.onnx')).rejects.toMatchObject({
      code: 'model-load',
      retryable: true,
    });
  });

  it('stops in the middle of a download when its signal aborts', async () => {
    const abort = new AbortController();
    const download = fetchAsset(`${base}/hangs.onnx`, {
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await expect(download).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('createSession', () => {
  it('says that a file is no model', async () => {
    await expect(createSession(`${base}/text.onnx`)).rejects.toMatchObject({ code: 'model-load' });
  });

  it('makes sessions at the same time and runs them one after another', async () => {
    const sessions = await Promise.all([
      createSession(`${base}/model.onnx`),
      createSession(`${base}/model.onnx`),
    ]);
    const runs = sessions.map(async (session) => {
      const inputs = {
        input: new ort.Tensor('float32', new Float32Array(576), [1, 576]),
        state: new ort.Tensor('float32', new Float32Array(256), [2, 1, 128]),
        sr: new ort.Tensor('int64', [16000n]),
      };
      const outputs = await runSession(session, inputs);
      const probability = (outputs['output'] as ort.Tensor).data[0];
      disposeTensors(inputs, outputs);
      return probability;
    });
    const [first, second] = await Promise.all(runs);
    expect(first).toBeGreaterThan(0);
    expect(first).toBe(second);
    await Promise.all(sessions.map((session) => session.release()));
  });

  it('turns wrong inputs into a model-run error', async () => {
    const session = await createSession(`${base}/model.onnx`);
    await expect(runSession(session, {})).rejects.toMatchObject({ code: 'model-run' });
    await session.release();
  });
});

describe('serialQueue', () => {
  it('keeps the order, never overlaps, and survives a task that fails', async () => {
    const queue = serialQueue();
    const log: string[] = [];
    const task =
      (name: string, fail = false) =>
      async () => {
        log.push(`${name} begins`);
        await Promise.resolve();
        log.push(`${name} ends`);
        if (fail) throw new Error(name);
        return name;
      };
    const results = await Promise.allSettled([
      queue(task('a')),
      queue(task('b', true)),
      queue(task('c')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });
});
