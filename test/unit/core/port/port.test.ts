import { afterEach, describe, expect, it } from 'vitest';
import { element, type StreamElement } from '../../../../src/core/element.ts';
import { AntiphonError } from '../../../../src/core/errors.ts';
import { portReader } from '../../../../src/core/port/port-reader.ts';
import { portWriter } from '../../../../src/core/port/port-writer.ts';
import type { PortMessage } from '../../../../src/core/port/protocol.ts';
import { collect } from '../../../../src/testing/index.ts';

const open: MessagePort[] = [];

function ports(): { port1: MessagePort; port2: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  return { port1, port2 };
}

afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

const text = (at: number, turn = 1): StreamElement =>
  element('text', { text: 'x', delta: true, at, turn });

const nextMessage = (port: MessagePort): Promise<PortMessage> =>
  new Promise((resolve) => {
    port.onmessage = ({ data }: MessageEvent<PortMessage>) => resolve(data);
  });

describe('port', () => {
  it('sends nothing without credit', async () => {
    const { port1, port2 } = ports();
    const writer = portWriter(port1);
    expect(writer.offer(text(0))).toBe(false);
    const reader = portReader(port2, { window: 2 });
    await writer.write(text(1));
    expect((await reader.next()).value).toMatchObject({ at: 1 });
  });

  it('moves samples instead of copying them, and copies a view on a part of a buffer', async () => {
    const { port1, port2 } = ports();
    const writer = portWriter(port1);
    const reader = portReader(port2);
    const whole = new Float32Array([1, 2, 3]);
    const part = new Float32Array([4, 5, 6]).subarray(1);
    await writer.write(element('audio', { samples: whole, sampleRate: 16_000 }));
    await writer.write(element('audio', { samples: part, sampleRate: 16_000 }));
    await writer.write(
      element('speech', { samples: new Float32Array(), sampleRate: 1, text: '', last: true }),
    );
    writer.close();
    expect(whole.buffer.byteLength).toBe(0);
    expect([...part]).toEqual([5, 6]);
    const got = await collect(reader);
    expect(got.map((one) => ('samples' in one ? [...one.samples] : []))).toEqual([
      [1, 2, 3],
      [5, 6],
      [],
    ]);
  });

  it('rejects an element that cannot be posted and goes on', async () => {
    const { port1, port2 } = ports();
    const writer = portWriter(port1);
    const reader = portReader(port2);
    await writer.write(text(1));
    const bad = element('text', { text: '', delta: false, meta: { call: () => {} } });
    await expect(writer.write(bad)).rejects.toMatchObject({ code: 'invalid-argument' });
    await writer.write(text(2));
    writer.close();
    expect((await collect(reader)).map((one) => one.at)).toEqual([1, 2]);
  });

  it('lets an interrupt overtake without credit', async () => {
    const { port1, port2 } = ports();
    const writer = portWriter(port1);
    const reader = portReader(port2, { window: 1 });
    await writer.write(text(1));
    const second = writer.write(text(2));
    writer.overtake(element('interrupt', { turn: 1 }));
    const arrived = new Promise<void>((resolve) => reader.onOvertake(() => resolve()));
    await arrived;
    expect(reader.poll()).toMatchObject({ at: 1 });
    await second;
  });

  it('grants credit for discarded elements too', async () => {
    const { port1, port2 } = ports();
    const writer = portWriter(port1);
    const reader = portReader(port2, { window: 2 });
    await writer.write(text(1));
    await writer.write(text(2));
    const third = writer.write(text(3));
    const full = new Promise<void>((resolve) =>
      reader.onReadable(() => reader.depth === 2 && resolve()),
    );
    await full;
    expect(reader.discard(() => true)).toBe(2);
    await third;
    expect((await reader.next()).value).toMatchObject({ at: 3 });
  });

  it('tells the writer when the reader leaves, and rejects the writes that wait', async () => {
    const { port1, port2 } = ports();
    const writer = portWriter(port1);
    const reader = portReader(port2, { window: 1 });
    await writer.write(text(1));
    const waiting = writer.write(text(2));
    reader.cancel(new Error('enough'));
    await expect(waiting).rejects.toMatchObject({ code: 'channel-closed' });
    expect(writer.cancelled.aborted).toBe(true);
    await expect(writer.write(text(3))).rejects.toMatchObject({ code: 'channel-closed' });
  });

  it('carries an error with its code and hint, and discards what waits', async () => {
    const { port1, port2 } = ports();
    const writer = portWriter(port1);
    const reader = portReader(port2);
    await writer.write(text(1));
    const failed = new Promise<void>((resolve) =>
      reader.onReadable(() => reader.state === 'failed' && resolve()),
    );
    writer.fail(new AntiphonError('model-load', 'no model', { hint: 'Get one.', stage: 'tts' }));
    await failed;
    await expect(reader.next()).rejects.toMatchObject({
      code: 'model-load',
      hint: 'Get one.',
      stage: 'tts',
    });
  });

  it('delivers writes that waited for credit before it closes', async () => {
    const { port1, port2 } = ports();
    const writer = portWriter(port1);
    const writes = [1, 2, 3, 4, 5].map((at) => writer.write(text(at)));
    writer.close();
    const got = await collect(portReader(port2, { window: 1 }));
    await Promise.all(writes);
    expect(got.map((one) => one.at)).toEqual([1, 2, 3, 4, 5]);
  });

  it('refuses a writer that sends more than it has credit for', async () => {
    const { port1, port2 } = ports();
    const reader = portReader(port2, { window: 1 });
    for (let at = 0; at < 2; at += 1) port1.postMessage(text(at));
    const failed = new Promise<void>((resolve) =>
      reader.onReadable(() => reader.state === 'failed' && resolve()),
    );
    await failed;
    await expect(reader.next()).rejects.toMatchObject({ code: 'channel-overflow' });
    expect(await nextMessage(port1)).toMatchObject({ type: 'credit', count: 1 });
  });
});
