import { describe, expect, it } from 'vitest';
import { messageText, type StreamElement } from '../../../src/core/element.ts';
import type { Stage } from '../../../src/core/stage/stage.ts';
import { offlineAssistant } from '../../../src/providers/offline-assistant.ts';
import { memoryStore } from '../../../src/state/memory-store.ts';
import type { StateStore } from '../../../src/state/state-store.ts';
import { PromptAssemblyStage } from '../../../src/stages/conversation/prompt-assembly-stage.ts';
import { ProviderStage } from '../../../src/stages/conversation/provider-stage.ts';
import { StateStoreLoadStage } from '../../../src/stages/conversation/state-store-load-stage.ts';
import { StateStoreSaveStage } from '../../../src/stages/conversation/state-store-save-stage.ts';
import { TemplateStage } from '../../../src/stages/conversation/template-stage.ts';
import { testContext } from '../../../src/testing/stage-context.ts';
import { shown, turnEnd, user } from './helpers.ts';

/** One visit: the whole text side with the offline assistant, on these sentences; the replies. */
async function visit(store: StateStore, sentences: readonly string[]): Promise<string[]> {
  const context = testContext();
  const provider = offlineAssistant({
    values: {
      get: (key) => store.getValue('kitchen', key),
      set: (key, value) => store.setValue('kitchen', key, value),
    },
  });
  const stages: readonly Stage[] = [
    new StateStoreLoadStage({ store, conversation: 'kitchen' }),
    new PromptAssemblyStage({
      prompts: { chat: { system: 'Be {{tone}}.', variables: { tone: 'kind' } } },
      task: 'chat',
    }),
    new TemplateStage(),
    new ProviderStage({ provider }),
    new StateStoreSaveStage({ store, conversation: 'kitchen' }),
  ];
  let flow: AsyncIterable<StreamElement> = (async function* () {
    for (const [index, sentence] of sentences.entries())
      yield* [user(sentence, index + 1), turnEnd(index + 1)];
  })();
  for (const stage of stages) flow = stage.process(flow, context);
  const replies: string[] = [];
  for await (const item of flow)
    if (item.kind === 'message' && item.message.role === 'assistant')
      replies.push(messageText(item.message));
  expect(context.turn(1).systemPrompt).toBe('Be kind.');
  return replies;
}

describe('the text side as a whole', () => {
  it('answers, calculates on, remembers a name over visits and does not tell a joke twice', async () => {
    const store = memoryStore();
    const first = await visit(store, [
      'my name is anna',
      'what is two plus two',
      'times ten',
      'tell me a joke',
    ]);
    expect(first.slice(0, 3)).toEqual([
      'Nice to meet you, Anna. I will remember that.',
      'That is four.',
      'That is forty.',
    ]);
    const second = await visit(store, ['what is my name', 'another joke']);
    expect(second[0]).toBe('Your name is Anna.');
    expect(second[1]).not.toBe(first[3]);
    const stored = shown(await store.load('kitchen'));
    expect(stored).toHaveLength(12);
    expect(stored.slice(0, 2)).toEqual([
      'user:my name is anna',
      'assistant:Nice to meet you, Anna. I will remember that.',
    ]);
    expect(await store.list()).toMatchObject([
      { id: 'kitchen', title: 'my name is anna', messageCount: 12 },
    ]);
  });
});
