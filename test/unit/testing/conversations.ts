/** Whole conversations with scripted sides, for Node and for the browser: test/fixtures/conversations has their logs. */
import { AntiphonError } from '../../../src/core/errors.ts';
import { sleep, type Clock } from '../../../src/core/time.ts';
import { defineTool } from '../../../src/providers/define-tool.ts';
import { answerLater, type Tool } from '../../../src/providers/tools.ts';
import {
  asScripted,
  fakeClock,
  reply,
  scriptedProvider,
  user,
  type OfflineOptions,
  type ScriptedProvider,
} from '../../../src/testing/index.ts';

/** One conversation, made anew for each run, and the model to verify in the end. */
export interface Conversation {
  readonly options: OfflineOptions;
  readonly provider: ScriptedProvider;
}

const latency = { recognizerMs: 150, providerMs: 350, synthesizerMs: 80 };

const clockTool = defineTool({
  name: 'clock',
  description: 'The time.',
  parameters: {},
  execute: () => 'noon',
});

/** A tool that takes its time on the conversation's clock. */
const oracle = (clock: Clock, ms: number, whenInterrupted: 'abort' | 'finish' = 'abort'): Tool =>
  asScripted(
    defineTool({
      name: 'oracle',
      description: 'Knows the answer.',
      parameters: {},
      whenInterrupted,
      async execute(_, { signal }) {
        await sleep(clock, ms, signal);
        return 42;
      },
    }),
  );

const formTool = defineTool({
  name: 'form',
  description: 'Asks the person to fill in a form.',
  parameters: {},
  execute: () => answerLater,
});

const make = (
  provider: ScriptedProvider,
  steps: OfflineOptions['user'] = [],
  more: Partial<OfflineOptions> = {},
): Conversation => ({ provider, options: { provider, user: steps, latency, ...more } });

/** By name. */
export const conversations: Readonly<Record<string, () => Conversation>> = {
  'question-and-answer': () =>
    make(
      scriptedProvider([
        { expect: 'what time is it', reply: 'It is noon. Time for lunch.' },
        { expect: 'thank you', reply: 'You are welcome.' },
      ]),
      [
        user.pauses(400),
        user.says('What time is it?', 1200),
        user.hearsAll(),
        user.pauses(700),
        user.says('Thank you.'),
      ],
    ),

  'talked-over': () =>
    make(
      scriptedProvider([
        'It is a quarter past three in the afternoon of a long day.',
        { expect: 'no i meant the date', reply: 'The first of May.' },
      ]),
      [
        user.says('What time is it?', 1200),
        user.hears(3),
        user.says('No, I meant the date.'),
        user.hearsAll(),
        user.pauses(300),
      ],
    ),

  'back-channel': () =>
    make(scriptedProvider(['Once upon a time there was a king who had three daughters.']), [
      user.says('Tell me a story.'),
      user.hears(4),
      user.says('Mhm.', 240),
      user.hearsAll(),
    ]),

  'two-interruptions': () =>
    make(
      scriptedProvider([
        'One two three four five six seven eight nine ten.',
        'Eleven twelve thirteen fourteen fifteen.',
        'All right.',
      ]),
      [
        user.says('Count, please.'),
        user.hears(3),
        user.says('Go on from eleven.'),
        user.hears(1),
        user.says('Enough, stop it now.'),
        user.hearsAll(),
      ],
    ),

  'interrupted-while-thinking': () =>
    make(
      scriptedProvider([
        [reply.hang],
        { expect: 'never mind what day is it', reply: 'It is Monday.' },
      ]),
      [
        user.says('What is the meaning of life?'),
        user.waits('sees it think', ({ state }) => state.assistant === 'thinking'),
        user.pauses(400),
        user.says('Never mind, what day is it?'),
        user.hearsAll(),
      ],
    ),

  'model-fails': () => {
    const failure = new AntiphonError('provider-network', 'the connection was lost', {
      hint: 'Try again.',
    });
    return make(
      scriptedProvider([
        ['I think it is ', failure],
        { expect: 'once more', reply: 'It is noon.' },
      ]),
      [
        user.says('What time is it?'),
        user.hearsAll(),
        user.pauses(500),
        user.says('Once more.'),
        user.hearsAll(),
      ],
    );
  },

  'tool-call': () => {
    const clock = fakeClock();
    const provider = scriptedProvider(
      [
        [reply.text('Let me see. '), reply.call('clock', { zone: 'here' })],
        [reply.wait(200), 'It is noon.'],
      ],
      { clock },
    );
    return make(provider, [user.says('What time is it?'), user.hearsAll()], {
      clock,
      tools: [clockTool],
    });
  },

  'nothing-to-say': () =>
    make(scriptedProvider(['']), [
      user.types('What do you say?'),
      user.says('Mhm.', 200),
      user.hearsAll(),
    ]),

  'slow-tool': () => {
    const clock = fakeClock();
    return make(
      scriptedProvider([['Let me ask.', reply.call('oracle')], ['It is forty two.']]),
      [user.says('What is the answer?'), user.hearsAll()],
      {
        clock,
        tools: [oracle(clock, 6000)],
        filler: { texts: ['One moment please.', 'Nearly there.'], delayMs: 2000 },
      },
    );
  },

  'tool-talked-over': () => {
    const clock = fakeClock();
    return make(
      scriptedProvider([
        [reply.call('oracle')],
        { expect: 'never mind', reply: 'All right.' },
        { expect: 'what was it', reply: 'It was forty two.' },
      ]),
      [
        user.says('What is the answer?'),
        user.pauses(3500),
        user.says('Never mind.'),
        user.hearsAll(),
        user.pauses(3000),
        user.says('What was it?'),
        user.hearsAll(),
      ],
      {
        clock,
        tools: [oracle(clock, 8000, 'finish')],
        filler: { texts: ['One moment please, I am asking the oracle for you.'], delayMs: 1000 },
      },
    );
  },

  'answered-later': () =>
    make(
      scriptedProvider([[reply.call('form')], 'Thank you, Ada.']),
      [
        user.says('Book me a table.'),
        user.hearsAll(),
        user.pauses(800),
        user.answers('form', { name: 'Ada' }),
        user.hearsAll(),
      ],
      { tools: [formTool] },
    ),

  announced: () =>
    make(scriptedProvider(['You are welcome.']), [
      user.announces('Your tea is ready and getting cold.'),
      user.hears(4),
      user.says('Yes, thank you, I know.'),
      user.hearsAll(),
    ]),

  typed: () =>
    make(
      scriptedProvider([
        'It is a quarter past three in the afternoon.',
        { expect: 'And the date?', reply: 'The first of May.' },
      ]),
      [user.types('What time is it?'), user.hears(2), user.types('And the date?'), user.hearsAll()],
    ),
};
