import { describe, expect, it } from 'vitest';
import { element, type MessageElement, type StreamElement } from '../../../src/core/element.ts';
import { AntiphonError } from '../../../src/core/errors.ts';
import { defineTool } from '../../../src/providers/define-tool.ts';
import { ProviderStage } from '../../../src/stages/conversation/provider-stage.ts';
import { reply, runOn, scriptedProvider, testContext } from '../../../src/testing/index.ts';
import { assistant, brief, collect, feed, shown, turnEnd, user } from './helpers.ts';

const lastMessage = (elements: readonly StreamElement[]): MessageElement['message'] => {
  const found = elements.findLast(
    (item): item is MessageElement => item.kind === 'message' && item.message.role === 'assistant',
  );
  if (!found) throw new Error('no assistant message');
  return found.message;
};

describe('a live conversation', () => {
  it('answers each turn once, streaming, the user before the reply', async () => {
    const provider = scriptedProvider([['Hel', 'lo.'], ['Fine.']]);
    const context = testContext();
    context.turn(1).systemPrompt = 'Be brief.';
    const outputs = await runOn(
      new ProviderStage({ provider }),
      [user('Hi'), turnEnd(), user('How?', 2), turnEnd(2)],
      context,
    );
    expect(brief(outputs)).toEqual([
      'user:Hi',
      '+Hel',
      '+lo.',
      'assistant:Hello.',
      'turn-end',
      'user:How?',
      '+Fine.',
      'assistant:Fine.',
      'turn-end',
    ]);
    expect(lastMessage(outputs)).toMatchObject({ generated: 'Fine.', finishReason: 'stop' });
    expect(outputs.map(({ turn }) => turn)).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2]);
    expect(provider.requests.map(({ messages }) => shown(messages))).toEqual([
      ['user:Hi'],
      ['user:Hi', 'assistant:Hello.', 'user:How?'],
    ]);
    expect(provider.requests[0]?.system).toBe('Be brief.');
    expect(context.events.map(({ type }) => type)).toEqual([
      'provider-request',
      'first-token',
      'provider-finish',
      'provider-request',
      'first-token',
      'provider-finish',
    ]);
  });

  it('makes no call for a turn without words', async () => {
    const provider = scriptedProvider([['?']]);
    expect(brief(await runOn(new ProviderStage({ provider }), [turnEnd(), turnEnd(2)]))).toEqual([
      'turn-end',
      'turn-end',
    ]);
    expect(provider.requests).toHaveLength(0);
  });

  it('lets speech and transcripts of the next turn overtake a reply, and keeps content behind it', async () => {
    const input = feed();
    const context = testContext();
    const provider = scriptedProvider([['One ', reply.hang], ['Two']]);
    const outputs = collect(new ProviderStage({ provider }).process(input, context));
    input.push(user('A'), turnEnd());
    await outputs.until(2);
    input.push(
      element('speech-start', { turn: 2 }),
      user('B', 2),
      turnEnd(2),
      element('transcript', { turn: 3, text: 'so', final: false }),
      element('text', { turn: 3, text: 'Ding', delta: false }),
    );
    await outputs.until(4);
    expect(brief(outputs.all).slice(2)).toEqual(['speech-start', 'transcript']);
    context.interrupt(1);
    input.end();
    await outputs.done;
    expect(brief(outputs.all).slice(4)).toEqual([
      'assistant:One ',
      'turn-end',
      'user:B',
      '+Two',
      'assistant:Two',
      'turn-end',
      '=Ding',
    ]);
  });

  it('ends an interrupted reply with what it had, and answers the next turn', async () => {
    const input = feed();
    const context = testContext();
    const provider = scriptedProvider([['Once upon ', 'a time', reply.hang], ['Sure.']]);
    const stage = new ProviderStage({ provider });
    const outputs = collect(stage.process(input, context));
    input.push(user('A story'), turnEnd());
    await outputs.until(3);
    context.interrupt(1);
    await outputs.until(5);
    const cut = lastMessage(outputs.all);
    expect(cut).toMatchObject({ finishReason: 'interrupted', generated: 'Once upon a time' });
    stage.amend({ ...cut, heard: 'Once upon' });
    input.push(element('interrupt', { turn: 1 }), user('Shorter', 2), turnEnd(2));
    input.end();
    await outputs.done;
    expect(shown(provider.requests[1]?.messages ?? [])).toEqual([
      'user:A story',
      'assistant:Once upon',
      'user:Shorter',
    ]);
    expect(provider.calls).toMatchObject([
      { cancelled: true, closed: true },
      { cancelled: false, closed: true },
    ]);
  });

  it('remembers what was said in a turn that was interrupted before its answer began', async () => {
    const context = testContext();
    context.interrupt(1);
    const provider = scriptedProvider([['Both.']]);
    const outputs = await runOn(
      new ProviderStage({ provider }),
      [user('First'), turnEnd(), user('Second', 2), turnEnd(2)],
      context,
    );
    expect(brief(outputs)).toEqual([
      'user:First',
      'turn-end',
      'user:Second',
      '+Both.',
      'assistant:Both.',
      'turn-end',
    ]);
    expect(shown(provider.requests[0]?.messages ?? [])).toEqual(['user:First', 'user:Second']);
  });

  it('leaves a reply nobody heard a word of out of what the model sees', async () => {
    const input = feed();
    const provider = scriptedProvider([['Blah.']], { repeat: true });
    const stage = new ProviderStage({ provider });
    const outputs = collect(stage.process(input, testContext()));
    input.push(user('A'), turnEnd());
    await outputs.until(4);
    stage.amend({ ...lastMessage(outputs.all), heard: '' });
    input.push(user('B', 2), turnEnd(2));
    input.end();
    await outputs.done;
    expect(shown(provider.requests[1]?.messages ?? [])).toEqual(['user:A', 'user:B']);
  });

  it('survives a failing provider: an error, the text so far, and the next turn', async () => {
    const failure = new AntiphonError('provider-network', 'gone', {
      hint: 'Try again.',
      retryable: true,
    });
    const provider = scriptedProvider([['Well', failure], [failure], ['Back.']]);
    const inputs = [1, 2, 3].flatMap((turn) => [user(`T${turn}`, turn), turnEnd(turn)]);
    const outputs = await runOn(new ProviderStage({ provider }), inputs);
    expect(brief(outputs)).toEqual([
      'user:T1',
      '+Well',
      'error:provider-network',
      'assistant:Well',
      'turn-end',
      'user:T2',
      'error:provider-network',
      'assistant:',
      'turn-end',
      'user:T3',
      '+Back.',
      'assistant:Back.',
      'turn-end',
    ]);
    const error = outputs.find((item) => item.kind === 'error');
    expect(error).toMatchObject({ turn: 1, error: { hint: 'Try again.', stage: 'provider' } });
    expect(shown(provider.requests[2]?.messages ?? [])).toEqual([
      'user:T1',
      'assistant:Well',
      'user:T2',
      'user:T3',
    ]);
  });

  it('ends silently with the run, and closes the provider', async () => {
    const input = feed();
    const context = testContext();
    const provider = scriptedProvider([['One', reply.hang]]);
    const outputs = collect(new ProviderStage({ provider }).process(input, context));
    input.push(user('A'), turnEnd());
    await outputs.until(2);
    context.end();
    input.end();
    await outputs.done;
    expect(brief(outputs.all)).toEqual(['user:A', '+One', 'turn-end']);
    expect(provider.calls).toMatchObject([{ cancelled: true, closed: true }]);
  });

  it('stops the provider when its consumer stops reading', async () => {
    const provider = scriptedProvider([['One', 'Two', reply.hang]]);
    const stage = new ProviderStage({ provider });
    const source = (async function* () {
      yield user('A');
      yield turnEnd();
      await new Promise(() => undefined);
    })();
    for await (const item of stage.process(source, testContext())) if (item.kind === 'text') break;
    await Promise.resolve();
    await expect.poll(() => provider.calls.map(({ closed }) => closed)).toEqual([true]);
  });
});

describe('the past', () => {
  it('comes from the turn, once, before what this run adds, and is never answered', async () => {
    const provider = scriptedProvider([['Yes.']], { repeat: true });
    const context = testContext();
    const old = [user('Old', 0), assistant('Older', 0, { heard: 'Old' })].map(
      (item) => (item as MessageElement).message,
    );
    for (const turn of [1, 2]) context.turn(turn).history = old;
    const replayed = old.map((message) =>
      element('message', { message, turn: 1, meta: { fromHistory: true } }),
    );
    const outputs = await runOn(
      new ProviderStage({ provider }),
      [...replayed, user('A'), turnEnd(), user('B', 2), turnEnd(2)],
      context,
    );
    expect(brief(outputs).filter((text) => text.startsWith('+'))).toEqual(['+Yes.', '+Yes.']);
    expect(shown(provider.requests[0]?.messages ?? [])).toEqual([
      'user:Old',
      'assistant:Old',
      'user:A',
    ]);
    expect(shown(provider.requests[1]?.messages ?? [])).toEqual([
      'user:Old',
      'assistant:Old',
      'user:A',
      'assistant:Yes.',
      'user:B',
    ]);
  });

  it('is bounded and begins with a user', async () => {
    const provider = scriptedProvider([['ok']], { repeat: true });
    const inputs = Array.from({ length: 10 }, (_, index) => [
      user(`T${index + 1}`, index + 1),
      turnEnd(index + 1),
    ]).flat();
    await runOn(new ProviderStage({ provider, maxHistoryMessages: 4 }), inputs);
    expect(shown(provider.requests[9]?.messages ?? [])).toEqual([
      'user:T9',
      'assistant:ok',
      'user:T10',
    ]);
  });
});

describe('tools', () => {
  const clock = defineTool({
    name: 'clock',
    description: 'Time.',
    parameters: {},
    execute: () => ({ hour: 12 }),
  });

  it('run between the rounds of one reply, which stays one message', async () => {
    const provider = scriptedProvider([
      ['Let me look.', reply.call('clock')],
      ['It is noon.'],
      ['Bye.'],
    ]);
    const stage = new ProviderStage({ provider, tools: [clock] });
    const outputs = await runOn(stage, [user('Time?'), turnEnd(), user('Thanks', 2), turnEnd(2)]);
    expect(brief(outputs).slice(1, 7)).toEqual([
      '+Let me look.',
      'call:clock',
      'result:clock',
      '+ It is noon.',
      'assistant:Let me look. It is noon.',
      'turn-end',
    ]);
    expect(shown(provider.requests[2]?.messages ?? [])).toEqual([
      'user:Time?',
      'assistant:Let me look.',
      'tool:{"hour":12}',
      'assistant: It is noon.',
      'user:Thanks',
    ]);
  });

  it('of an interrupted reply are remembered as far as it was heard', async () => {
    const input = feed();
    const provider = scriptedProvider([
      ['Let me look.', reply.call('clock')],
      ['It is noon.'],
      ['Well.'],
    ]);
    const stage = new ProviderStage({ provider, tools: [clock] });
    const outputs = collect(stage.process(input, testContext()));
    input.push(user('Time?'), turnEnd());
    await outputs.until(7);
    stage.amend({ ...lastMessage(outputs.all), heard: 'Let me look. It' });
    input.push(user('Stop', 2), turnEnd(2));
    input.end();
    await outputs.done;
    expect(shown(provider.requests[2]?.messages ?? [])).toEqual([
      'user:Time?',
      'assistant:Let me look.',
      'tool:{"hour":12}',
      'assistant: It',
      'user:Stop',
    ]);
  });

  it('may be narrowed by the turn, and include those of the provider', async () => {
    const other = defineTool({ name: 'other', description: '', parameters: {}, execute: () => 1 });
    const provider = scriptedProvider([['ok'], ['ok']], { tools: [clock] });
    const context = testContext();
    context.turn(2).allowedTools = ['clock'];
    await runOn(
      new ProviderStage({ provider, tools: [other] }),
      [user('A'), turnEnd(), user('B', 2), turnEnd(2)],
      context,
    );
    expect(provider.requests.map(({ tools }) => tools.map(({ name }) => name))).toEqual([
      ['clock', 'other'],
      ['clock'],
    ]);
  });
});

describe('a single exchange', () => {
  it.each([
    ['the input closes', []],
    ['an end arrives', [element('end', {})]],
  ])('is answered when %s without a turn-end', async (_, tail) => {
    const provider = scriptedProvider([['Hello.']]);
    const outputs = await runOn(new ProviderStage({ provider }), [
      user('A'),
      assistant('B'),
      user('C'),
      ...tail,
    ]);
    expect(brief(outputs)).toEqual([
      'user:A',
      'assistant:B',
      'user:C',
      '+Hello.',
      'assistant:Hello.',
      ...tail.map(({ kind }) => kind),
    ]);
    expect(shown(provider.requests[0]?.messages ?? [])).toEqual([
      'user:A',
      'assistant:B',
      'user:C',
    ]);
  });

  it('passes on everything and nothing else for an empty input', async () => {
    expect(await runOn(new ProviderStage({ provider: scriptedProvider([[]]) }), [])).toEqual([]);
  });
});
