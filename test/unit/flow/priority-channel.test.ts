/** Order, bounds, waiting and fairness of the priority channel. */
import { describe, expect, it } from 'vitest';
import { element, type Priority, type StreamElement } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { PriorityChannel } from '../../../src/stages/flow/priority-channel.ts';
import { brief, recording, text } from './graphs.ts';
import { collect } from '../../../src/testing/index.ts';

const levels: readonly Priority[] = ['low', 'normal', 'high', 'critical'];
const of = (priority: Priority, value: string = priority): StreamElement => ({
  ...text(value),
  priority,
});
const turnEnd = element('turn-end', { turn: 1 });

function drained(queue: PriorityChannel): string[] {
  const seen: StreamElement[] = [];
  for (let next = queue.poll(); next; next = queue.poll()) seen.push(next);
  return brief(seen);
}

describe('PriorityChannel', () => {
  it('gives out the most important first, and each level in order', () => {
    const queue = new PriorityChannel();
    for (const priority of levels) queue.offer(of(priority));
    queue.offer(text('normal too'));
    expect(queue.length).toBe(5);
    expect(drained(queue)).toEqual(['critical', 'high', 'normal', 'normal too', 'low']);
    expect(queue.length).toBe(0);
  });

  it('takes a priority that does not exist for normal', () => {
    const queue = new PriorityChannel();
    for (const priority of ['low', 'urgent', 'high'] as Priority[]) queue.offer(of(priority));
    expect(drained(queue)).toEqual(['high', 'urgent', 'low']);
  });

  it('lets nothing pass a control element, either way', () => {
    const queue = new PriorityChannel();
    for (const one of [
      of('low', 'a'),
      turnEnd,
      of('critical', 'b'),
      of('low', 'c'),
      of('high', 'd'),
    ])
      queue.offer(one);
    expect(drained(queue)).toEqual(['a', '<turn-end>', 'b', 'd', 'c']);
  });

  it('lets an interrupt pass everything, room or not, and keeps the one that voids most', () => {
    const queue = new PriorityChannel({ capacity: 1 });
    queue.offer(of('critical'));
    for (const turn of [2, 3, 1]) expect(queue.offer(element('interrupt', { turn }))).toBe(true);
    expect(queue.poll()).toMatchObject({ kind: 'interrupt', turn: 3 });
    expect(drained(queue)).toEqual(['critical']);
  });

  it('makes senders wait when it is full, and lets them in in order', async () => {
    const queue = new PriorityChannel({ capacity: 1 });
    expect(queue.offer(text('a'))).toBe(true);
    expect(queue.offer(text('b'))).toBe(false);
    const sent: string[] = [];
    const sends = ['b', 'c'].map(async (name) => {
      await queue.send(text(name));
      sent.push(name);
    });
    expect(brief([(await queue.receive()) ?? turnEnd])).toEqual(['a']);
    await sends[0];
    expect(sent).toEqual(['b']);
    expect(drained(queue)).toEqual(['b', 'c']);
    await Promise.all(sends);
  });

  it('wakes a receiver and a sender whose signal aborts, and loses nothing by it', async () => {
    const queue = new PriorityChannel({ capacity: 1 });
    const abort = new AbortController();
    const received = queue.receive({ signal: abort.signal });
    abort.abort();
    await expect(received).rejects.toMatchObject({ code: 'aborted' });
    await expect(queue.receive({ signal: abort.signal })).rejects.toMatchObject({
      code: 'aborted',
    });

    await queue.send(text('a'));
    const other = new AbortController();
    const sent = queue.send(text('b'), { signal: other.signal });
    other.abort();
    await expect(sent).rejects.toMatchObject({ code: 'aborted' });
    await expect(queue.send(text('c'), { signal: other.signal })).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(drained(queue)).toEqual(['a']);
  });

  it('hands what is sent to those who wait, each once', async () => {
    const queue = new PriorityChannel();
    const received = [queue.receive(), queue.receive(), queue.receive()];
    for (const name of ['a', 'b']) await queue.send(text(name));
    queue.close();
    const values = await Promise.all(received);
    expect(values.map((one) => (one?.kind === 'text' ? one.text : undefined))).toEqual([
      'a',
      'b',
      undefined,
    ]);
  });

  it('delivers what waits after close, waiting sends included, then ends', async () => {
    const queue = new PriorityChannel({ capacity: 1 });
    await queue.send(text('a'));
    const late = queue.send(text('b'));
    queue.close();
    await expect(queue.send(text('c'))).rejects.toMatchObject({ code: 'channel-closed' });
    expect(brief(await collect(queue))).toEqual(['a', 'b']);
    await late;
    expect(await queue.receive()).toBeUndefined();
  });

  it('rejects everybody with the reason of a failure', async () => {
    const queue = new PriorityChannel({ capacity: 1 });
    await queue.send(text('a'));
    const sent = queue.send(text('b'));
    const empty = new PriorityChannel();
    const received = empty.receive();
    for (const failing of [queue, empty]) failing.fail(new Error('gone'));
    await expect(sent).rejects.toThrow('gone');
    await expect(received).rejects.toThrow('gone');
    await expect(queue.receive()).rejects.toThrow('gone');
    await expect(queue.send(text('c'))).rejects.toThrow('gone');
    expect(queue.length).toBe(0);
  });

  it('feeds a run from several producers, and is over when the run is left', async () => {
    const pipeline = new PipelineBuilder({ session: 'live' }).add(recording('stage')).build();
    const input = new PriorityChannel();
    for (const one of [of('low'), of('critical'), turnEnd]) input.offer(one);
    const seen: string[] = [];
    const run = pipeline.execute(input);
    for await (const one of run) {
      seen.push(...brief([one]));
      if (seen.length === 3) break;
    }
    await run.done;
    expect(seen).toEqual(['critical', 'low', '<turn-end>']);
    await expect(input.send(text('late'))).rejects.toMatchObject({ code: 'channel-closed' });
  });

  it.each([{ capacity: 0 }, { capacity: 1.5 }, { patience: 0 }])('refuses %o', (options) => {
    expect(() => new PriorityChannel(options)).toThrow(/integer|is/);
  });
});
