import { expect, it } from 'vitest';
import { PipelineBuilder, PromptAssemblyStage, TemplateStage } from '../../../../src/index.ts';
import { runOffline, scriptedProvider, user } from '../../../../src/testing/index.ts';
import { lookUp } from './look-up.ts';

const prompts = { shop: { system: 'Answer from this: {{facts}}' } };

it('answers, aloud, from what was found', async () => {
  const provider = scriptedProvider([
    {
      expect: ({ system }) => system === 'Answer from this: open until six',
      reply: 'Until six in the evening.',
    },
    { expect: 'and on sunday', reply: 'We are closed.' },
  ]);
  const { messages } = await runOffline({
    provider,
    user: [
      user.says('how long are you open'),
      user.hears(2),
      user.says('and on sunday'),
      user.hearsAll(),
    ],
    pipeline: ({ clock, microphone, ears, scribe, onUser, onReply, voice, speaker, ...parts }) =>
      new PipelineBuilder({ session: 'live', clock })
        .chain(
          microphone,
          ears,
          scribe,
          onUser,
          lookUp(() => Promise.resolve('open until six')),
          new PromptAssemblyStage({ prompts, task: 'shop' }),
          new TemplateStage(),
          parts.provider,
          onReply,
          voice,
          speaker,
        )
        .build(),
  });
  provider.verify();
  const replies = messages.filter(({ role }) => role === 'assistant');
  expect(replies.map(({ heard }) => heard)).toEqual(['Until six ', 'We are closed.']);
});
