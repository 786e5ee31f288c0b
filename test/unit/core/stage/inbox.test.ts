import { describe, expect, it } from 'vitest';
import { channel } from '../../../../src/core/channel/channel.ts';
import { element, type StreamElement } from '../../../../src/core/element.ts';
import { Inbox } from '../../../../src/core/stage/inbox.ts';
import { brief, text } from '../pipeline/helpers.ts';
import { collect } from '../../../../src/testing/index.ts';

const interrupt = (turn: number): StreamElement & { kind: 'interrupt' } =>
  element('interrupt', { turn });
const transcript = (turn: number): StreamElement =>
  element('transcript', { text: 't', final: true, turn });

function inboxOf(count = 1) {
  const channels = Array.from({ length: count }, () => channel<StreamElement>({ capacity: 32 }));
  const forwarded: number[] = [];
  const inbox = new Inbox(
    channels.map(({ reader }) => reader),
    { onInterrupt: ({ turn }) => forwarded.push(turn) },
  );
  return { inbox, forwarded, writers: channels.map(({ writer }) => writer) };
}

describe('an inbox', () => {
  it('puts an interrupt first and voids what may be voided of its turn and those before', async () => {
    const { inbox, writers, forwarded } = inboxOf();
    const [writer] = writers;
    for (const one of [text('1', 1), transcript(1), text('2', 2), text('3', 3)]) writer!.offer(one);
    writer!.overtake(interrupt(2));
    expect(forwarded).toEqual([2]);
    writer!.offer(text('late', 1));
    writer!.offer(element('turn-end', { turn: 1 }));
    writer!.close();
    expect(brief(await collect(inbox))).toEqual(['<interrupt>', '<transcript>', '3', '<turn-end>']);
  });

  it('aborts the signals of voided turns at once, while the stage awaits something', async () => {
    const { inbox, writers } = inboxOf();
    const signals = [1, 2, 3].map((turn) => inbox.turnSignal(turn));
    writers[0]!.overtake(interrupt(2));
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true, false]);
    expect(inbox.turnSignal(1).aborted).toBe(true);
    expect(inbox.turnSignal(4).aborted).toBe(false);
  });

  it('loses none of two interrupts that come close together, and repeats none', async () => {
    const { inbox, writers, forwarded } = inboxOf();
    const second = inbox.turnSignal(2);
    writers[0]!.overtake(interrupt(1));
    writers[0]!.overtake(interrupt(1));
    expect(second.aborted).toBe(false);
    writers[0]!.overtake(interrupt(2));
    writers[0]!.overtake(interrupt(1));
    expect(second.aborted).toBe(true);
    writers[0]!.close();
    expect((await collect(inbox)).map((one) => one.turn)).toEqual([1, 2]);
    expect(forwarded).toEqual([1, 2]);
  });

  it('ignores a stale interrupt: a newer turn goes on', async () => {
    const { inbox, writers } = inboxOf();
    writers[0]!.overtake(interrupt(2));
    const current = inbox.turnSignal(3);
    writers[0]!.offer(text('3', 3));
    writers[0]!.overtake(interrupt(1));
    writers[0]!.close();
    expect(brief(await collect(inbox))).toEqual(['<interrupt>', '3']);
    expect(current.aborted).toBe(false);
  });

  it('treats an interrupt that arrives in line as one that overtook', async () => {
    const { inbox, writers, forwarded } = inboxOf();
    for (const one of [transcript(1), interrupt(1), text('1', 1), text('2', 2)])
      writers[0]!.offer(one);
    writers[0]!.close();
    expect(brief(await collect(inbox))).toEqual(['<transcript>', '<interrupt>', '2']);
    expect(forwarded).toEqual([1]);
  });

  it('wakes a reader that waits, by an interrupt too', async () => {
    const { inbox, writers } = inboxOf();
    const next = inbox.next();
    writers[0]!.overtake(interrupt(1));
    expect((await next).value).toMatchObject({ kind: 'interrupt' });
    const after = inbox.next();
    writers[0]!.offer(text('void', 1));
    writers[0]!.offer(text('live', 2));
    expect((await after).value).toMatchObject({ text: 'live' });
  });

  it('makes room for a writer that waited behind what an interrupt voids', async () => {
    const { writer, reader } = channel<StreamElement>({ capacity: 1 });
    const inbox = new Inbox([reader]);
    await writer.write(text('1', 1));
    const waiting = writer.write(text('2', 2));
    writer.overtake(interrupt(1));
    await waiting;
    expect((await inbox.next()).value).toMatchObject({ kind: 'interrupt' });
    expect((await inbox.next()).value).toMatchObject({ text: '2' });
  });

  it('gives one "end" after the last of its inputs has ended', async () => {
    const { inbox, writers } = inboxOf(2);
    writers[0]!.offer(text('a'));
    writers[0]!.offer(element('end', {}));
    writers[0]!.close();
    writers[1]!.offer(text('b'));
    const first = [await inbox.next(), await inbox.next()].map(({ value }) => value!);
    expect(brief(first)).toEqual(['a', 'b']);
    writers[1]!.offer(text('c'));
    writers[1]!.offer(element('end', {}));
    writers[1]!.close();
    expect(brief(await collect(inbox))).toEqual(['c', '<end>']);
  });
});
