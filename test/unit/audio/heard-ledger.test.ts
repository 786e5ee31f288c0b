import { describe, expect, it } from 'vitest';
import { HeardLedger } from '../../../src/audio/heard-ledger.ts';
import { element, textMessage } from '../../../src/core/element.ts';

const reply = (turn: number, text = 'One two three.') =>
  element('message', { message: textMessage('assistant', text, { generated: text }), turn });

describe('HeardLedger', () => {
  it('completes a message of the assistant with what was queued and heard', () => {
    const ledger = new HeardLedger();
    ledger.queue(1, 'One two ');
    ledger.queue(1, 'three.');
    expect(ledger.hear(1, 'One ')).toBe('One ');
    expect(ledger.hear(1, 'two ')).toBe('One two ');
    const { message } = ledger.complete(reply(1));
    expect(message).toMatchObject({
      generated: 'One two three.',
      queued: 'One two three.',
      heard: 'One two ',
    });
  });

  it('gives each message of a turn its own part', () => {
    const ledger = new HeardLedger();
    ledger.queue(1, 'Let me see.');
    ledger.hear(1, 'Let me see.');
    expect(ledger.complete(reply(1)).message.heard).toBe('Let me see.');
    ledger.queue(1, 'It is five.');
    ledger.hear(1, 'It ');
    expect(ledger.complete(reply(1)).message).toMatchObject({
      queued: 'It is five.',
      heard: 'It ',
    });
  });

  it('says that nothing was heard of a message without speech', () => {
    expect(new HeardLedger().complete(reply(7)).message).toMatchObject({ queued: '', heard: '' });
  });

  it('leaves messages of the user and of the history alone', () => {
    const ledger = new HeardLedger();
    const user = element('message', { message: textMessage('user', 'Hi'), turn: 1 });
    const old = { ...reply(1), meta: { fromHistory: true } };
    expect(ledger.complete(user)).toBe(user);
    expect(ledger.complete(old)).toBe(old);
  });

  it('forgets turns nobody completes', () => {
    const ledger = new HeardLedger();
    for (let turn = 1; turn <= 1_000; turn++) ledger.hear(turn, `${turn}`);
    expect(ledger.complete(reply(1)).message.heard).toBe('');
    expect(ledger.complete(reply(1_000)).message.heard).toBe('1000');
  });
});
