/** The conversation family. */
import { expect, it } from 'vitest';
import { element, messageText, textMessage } from '../../../src/core/element.ts';
import { elements, only } from '../../../src/testing/elements.ts';
import { brief, text } from '../brief.ts';
import type { Realm } from '../realm.ts';
import { forgetStores, stateStoreNamed } from '../stores.ts';

/** Registers the cases. */
export function conversation(realm: Realm): void {
  const stored = async (store: string): Promise<string[]> => {
    const messages = await stateStoreNamed(store).load('kitchen');
    return messages.map((message) => `${message.role}: ${messageText(message)}`);
  };

  it('save stores what passes, in order, history never again', async () => {
    const store = crypto.randomUUID();
    const make = elements();
    try {
      const { outputs } = await realm.run('stateStoreSave', { store, conversation: 'kitchen' }, [
        make.user('old', { meta: { fromHistory: true } }),
        make.user('new'),
        make.turnEnd(),
        element('message', { message: textMessage('assistant', 'well'), turn: 1 }),
      ]);
      expect(brief(outputs)).toEqual([
        'message old',
        'message new',
        'turn-end',
        'message well',
        'end',
      ]);
      expect(await stored(store)).toEqual(['user: new', 'assistant: well']);
    } finally {
      forgetStores(store);
    }
  });

  it('load, variables, prompt, template, budget, model and save go together, where they share turns', async () => {
    const store = crypto.randomUUID();
    try {
      await stateStoreNamed(store).append('kitchen', [
        textMessage('user', 'Before.'),
        textMessage('assistant', 'Yes.'),
      ]);
      const make = elements();
      const { outputs, errors } = await realm.run(
        'conversation',
        { store, conversation: 'kitchen' },
        make.asks('Hello.'),
      );
      expect(errors).toEqual([]);
      const reply = 'You work at Kiosk. I heard: Before. | Yes. | Hello.';
      expect(brief(outputs)).toEqual([
        'message Hello.',
        `text ${reply}`,
        `message ${reply}`,
        'turn-end',
        'end',
      ]);
      expect(await stored(store)).toEqual([
        'user: Before.',
        'assistant: Yes.',
        'user: Hello.',
        `assistant: ${reply}`,
      ]);
    } finally {
      forgetStores(store);
    }
  });

  it('a model answers each turn', async () => {
    const make = elements();
    const { outputs } = await realm.run('provider', {}, [...make.asks('What is seven plus five?')]);
    const [, reply] = only(outputs, 'message');
    expect(reply?.message.role).toBe('assistant');
    expect(reply && messageText(reply.message)).toMatch(/12|twelve/i);
    expect(outputs.at(-2)?.kind).toBe('turn-end');
  });

  it('validation cuts a reply where it becomes unacceptable', async () => {
    const make = elements();
    const delta = (value: string) => ({ ...text(value), delta: true });
    const { outputs } = await realm.run('validation', { banned: ['secret'] }, [
      delta('It is a '),
      delta('sec'),
      delta('ret.'),
      element('message', { message: textMessage('assistant', 'It is a secret.'), turn: 1 }),
      make.turnEnd(),
    ]);
    const said = only(outputs, 'text').map((one) => one.text);
    expect(said.join('')).toMatch(/^It is a\s*$/);
    expect(only(outputs, 'error')).toMatchObject([{ error: { code: 'content-filter' } }]);
    expect(only(outputs, 'message')[0]?.message.finishReason).toBe('content-filter');
  });
}
