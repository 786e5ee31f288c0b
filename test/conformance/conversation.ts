/** Stored history, variables, prompts, templates and validation: §14.3. */
import { expect } from 'vitest';
import { messageText, textMessage, type StreamElement } from '../../src/core/element.ts';
import { AntiphonError } from '../../src/core/errors.ts';
import type { Stage, TurnState } from '../../src/core/stage/stage.ts';
import { PromptAssemblyStage } from '../../src/stages/conversation/prompt-assembly-stage.ts';
import { ProviderStage } from '../../src/stages/conversation/provider-stage.ts';
import { StateStoreLoadStage } from '../../src/stages/conversation/state-store-load-stage.ts';
import { StateStoreSaveStage } from '../../src/stages/conversation/state-store-save-stage.ts';
import { TemplateStage } from '../../src/stages/conversation/template-stage.ts';
import { ValidationStage } from '../../src/stages/conversation/validation-stage.ts';
import { bannedWords, maxLength, maxSentences } from '../../src/stages/conversation/validators.ts';
import { requiredFields } from '../../src/stages/conversation/whole-validators.ts';
import { TTSStageWithInterruption } from '../../src/stages/streaming/tts-stage-with-interruption.ts';
import { VariableProviderStage } from '../../src/stages/utility/variable-provider-stage.ts';
import { timeVariables } from '../../src/stages/utility/variables.ts';
import { memoryStore } from '../../src/state/memory-store.ts';
import type { StateStore } from '../../src/state/state-store.ts';
import {
  elements,
  only,
  reply,
  scriptedProvider,
  scriptedSynthesizer,
} from '../../src/testing/index.ts';
import { brief } from '../unit/conversation/helpers.ts';
import { live, once } from './play.ts';
import { differs, same, type Area, type Row } from './row.ts';

const turn = { conversation: 'kitchen' };
const past = [textMessage('user', 'I am Ada'), textMessage('assistant', 'Hello Ada')];

async function storeWith(messages = past): Promise<StateStore> {
  const store = memoryStore();
  if (messages.length > 0) await store.append('kitchen', messages);
  return store;
}

const stored = async (store: StateStore): Promise<string[]> =>
  (await store.load('kitchen')).map((one) => `${one.role}:${messageText(one)}`);

/** Looks at the state of each message's turn. */
function looking(see: (state: TurnState) => void): Stage {
  return {
    name: 'looking',
    type: 'transform',
    consumes: [],
    emits: [],
    async *process(input, context) {
      for await (const one of input) {
        if (one.kind === 'message') see(context.turn(one.turn));
        yield one;
      }
    },
  };
}

/** A store all of whose calls fail. */
const blocked = (): StateStore => {
  const fail = (): Promise<never> =>
    Promise.reject(new AntiphonError('storage-blocked', 'blocked', { hint: 'Unblock it.' }));
  return { ...memoryStore(), load: fail, append: fail };
};

const stateRows: readonly Row[] = [
  differs(
    'load.history',
    '§14.3 StateStoreLoad, §12.1 (c)',
    'Stored messages become the `history` of every turn before its first message passes, and flow through the stream only when asked for (`replay`), marked.',
    'In the seed the stream carries them: a resumed voice session took them for the first turn and spoke old replies aloud.',
    async () => {
      const make = elements();
      const histories: string[] = [];
      const look = looking(({ history }) => histories.push(history.map(messageText).join('/')));
      const store = await storeWith();
      const inputs = [...make.asks('one'), ...make.asks('two')];
      const outputs = await once([new StateStoreLoadStage({ store }), look], inputs, { turn });
      expect(brief(outputs)).toEqual(['user:one', 'turn-end', 'user:two', 'turn-end']);
      expect(histories).toEqual(['I am Ada/Hello Ada', 'I am Ada/Hello Ada']);
      const replayed = await once(
        [new StateStoreLoadStage({ store, replay: true })],
        [elements().user('one')],
        { turn },
      );
      expect(brief(replayed)).toEqual(['user:I am Ada', 'assistant:Hello Ada', 'user:one']);
      expect(replayed.map(({ meta }) => meta?.['fromHistory'])).toEqual([true, true, undefined]);
    },
  ),
  same(
    'load.never-spoken',
    '§12.1 (c), §13 #1644',
    'History that flows is neither spoken, nor answered, nor stored again.',
    async () => {
      const store = await storeWith();
      const voice = scriptedSynthesizer();
      const provider = scriptedProvider(['Noon.']);
      const session = live(
        [
          new StateStoreLoadStage({ store, replay: true }),
          new ProviderStage({ provider }),
          new TTSStageWithInterruption({ synthesizer: voice }),
          new StateStoreSaveStage({ store }),
        ],
        { turn },
      );
      session.push(...elements().asks('What time is it?'));
      await session.end();
      expect(voice.spoken.map((one) => one.trim())).toEqual(['Noon.']);
      expect(provider.requests.map(({ messages }) => messages.map(messageText))).toEqual([
        ['I am Ada', 'Hello Ada', 'What time is it?'],
      ]);
      expect(await stored(store)).toEqual([
        'user:I am Ada',
        'assistant:Hello Ada',
        'user:What time is it?',
        'assistant:Noon.',
      ]);
    },
  ),
  same(
    'load.not-found',
    '§14.3 NotFound',
    'A conversation nobody has had yet is no error: the live input passes alone.',
    async () => {
      const load = new StateStoreLoadStage({ store: memoryStore(), replay: true });
      expect(brief(await once([load], [elements().user('Hi')], { turn }))).toEqual(['user:Hi']);
    },
  ),
  differs(
    'load.error',
    '§14.3 LoadError, §5.3',
    'A store that fails gives one `error` element, and the conversation goes on without a past.',
    'In the seed it fails the stage before anything is forwarded, and `executeSync` reports success with nothing.',
    async () => {
      const make = elements();
      const outputs = await once(
        [new StateStoreLoadStage({ store: blocked() })],
        [...make.asks('one'), ...make.asks('two')],
        { turn },
      );
      expect(brief(outputs)).toEqual([
        'error:storage-blocked',
        'user:one',
        'turn-end',
        'user:two',
        'turn-end',
      ]);
    },
  ),
  same(
    'save.appends',
    '§14.3 WithAppender ▲, FiltersSummaryAndRetrievedSources ▲, #1055',
    'Only what is new is appended; what was loaded stays as it was.',
    async () => {
      const store = await storeWith();
      const appended: number[] = [];
      const watched: StateStore = {
        ...store,
        load: (id) => store.load(id),
        append: (id, messages) => {
          appended.push(messages.length);
          return store.append(id, messages);
        },
      };
      const make = elements();
      await once(
        [
          new StateStoreLoadStage({ store: watched, replay: true }),
          new StateStoreSaveStage({ store: watched }),
        ],
        [make.user('new'), make.assistant('answer')],
        { turn },
      );
      expect(appended.reduce((sum, count) => sum + count, 0)).toBe(2);
      expect((await stored(store)).slice(0, 2)).toEqual(['user:I am Ada', 'assistant:Hello Ada']);
      expect(await stored(store)).toHaveLength(4);
    },
  ),
  same(
    'save.concurrent',
    '§14.3 summary written concurrently ▲, #1055',
    'Two sessions of one conversation at a time lose nothing of each other.',
    async () => {
      const store = await storeWith();
      await Promise.all(
        ['a', 'b'].map(async (name) => {
          const session = live(
            [new StateStoreLoadStage({ store }), new StateStoreSaveStage({ store })],
            {
              turn,
            },
          );
          for (let at = 0; at < 5; at += 1) {
            const message = textMessage('user', `${name}${at}`);
            session.push({ kind: 'message', turn: at + 1, at, source: '', message });
            await session.untilKind('message', at + 1);
          }
          await session.end();
        }),
      );
      const all = await stored(store);
      expect(all).toHaveLength(12);
      for (const name of ['a', 'b'])
        expect(all.filter((one) => one.startsWith(`user:${name}`))).toEqual(
          [0, 1, 2, 3, 4].map((at) => `user:${name}${at}`),
        );
    },
  ),
  same(
    'save.nothing-new',
    '§14.3 NoNewMessages',
    'Without new messages the store is not touched.',
    async () => {
      let touched = 0;
      const store = await storeWith();
      const watched: StateStore = {
        ...store,
        append: (id, messages) => {
          touched += 1;
          return store.append(id, messages);
        },
      };
      const outputs = await once(
        [
          new StateStoreLoadStage({ store, replay: true }),
          new StateStoreSaveStage({ store: watched }),
        ],
        [elements().transcript('mhm')],
        { turn },
      );
      expect(brief(outputs)).toEqual(['transcript']);
      expect(touched).toBe(0);
    },
  ),
  differs(
    'save.per-turn',
    '§12.2, §12.1 (d)',
    'The user’s message is stored as it passes and the reply when it arrives, while the session goes on; an aborted run keeps what it had.',
    'In the seed everything is written when the input closes: a crash or a closed tab loses the whole voice session.',
    async () => {
      const store = await storeWith([]);
      const controller = new AbortController();
      const provider = scriptedProvider(['Hello.', [reply.hang]]);
      const session = live([new ProviderStage({ provider }), new StateStoreSaveStage({ store })], {
        turn,
        signal: controller.signal,
      });
      const make = elements();
      session.push(...make.asks('Hi'));
      await session.untilKind('turn-end');
      expect(await stored(store)).toEqual(['user:Hi', 'assistant:Hello.']);
      session.push(...make.asks('And now?'));
      await session.untilKind('message', 3);
      controller.abort();
      await session.run.done.catch(() => {});
      expect(await stored(store)).toEqual(['user:Hi', 'assistant:Hello.', 'user:And now?']);
    },
  ),
  same(
    'save.errors-pass',
    '§14.3 ErrorForwarding',
    '`error` elements pass in their place; a store that fails adds one of its own and drops nothing.',
    async () => {
      const make = elements();
      const outputs = await once(
        [new StateStoreSaveStage({ store: blocked() })],
        [make.user('one'), make.error('tool', 'no'), make.user('two')],
        { turn },
      );
      expect(brief(outputs).filter((one) => one !== 'error:storage-blocked')).toEqual([
        'user:one',
        'error:tool',
        'user:two',
      ]);
      expect(brief(outputs)).toContain('error:storage-blocked');
    },
  ),
  same(
    'save.no-reasoning',
    '§14.3 StripsReasoningByDefault',
    'A model’s reasoning is told as an event and never becomes part of a stored message.',
    async () => {
      const store = await storeWith([]);
      const provider = scriptedProvider([[reply.reasoning('hmm, noon?'), 'It is noon.']]);
      const session = live([new ProviderStage({ provider }), new StateStoreSaveStage({ store })], {
        turn,
      });
      session.push(...elements().asks('When?'));
      await session.end();
      expect(session.events).toContainEqual(
        expect.objectContaining({ type: 'reasoning', detail: { turn: 1, text: 'hmm, noon?' } }),
      );
      expect(JSON.stringify(await store.load('kitchen'))).not.toContain('hmm');
    },
  ),
  same(
    'store.no-bulk-writer',
    '§14.3 NoBulkWriterInStageConfigs ▲',
    'A state store has no way to write a whole conversation over another: it appends, and replaces one message by its id.',
    async () => {
      const store = await storeWith();
      const [first] = await store.load('kitchen');
      await store.append('kitchen', [{ ...first!, parts: [{ type: 'text', text: 'I am Eve' }] }]);
      expect(await stored(store)).toEqual(['user:I am Eve', 'assistant:Hello Ada']);
      expect(Object.keys(store).filter((name) => /save|write|replace|put$/i.test(name))).toEqual(
        [],
      );
    },
  ),
];

const promptRows: readonly Row[] = [
  same(
    'variables.merge',
    '§14.3 VariableProvider',
    'Variables of the turn, static ones and those of providers are merged, the later winning; elements are not touched.',
    async () => {
      const seen: unknown[] = [];
      const stage = new VariableProviderStage({
        variables: { b: 'static', c: 'static' },
        providers: [{ name: 'p', provide: () => ({ c: 'provided', d: 'provided' }) }],
      });
      const input = elements().user('Hi');
      const [output] = await once(
        [stage, looking(({ variables }) => seen.push(variables))],
        [input],
        {
          turn: { variables: { a: 'turn', b: 'turn' } },
        },
      );
      expect(seen).toEqual([{ a: 'turn', b: 'static', c: 'provided', d: 'provided' }]);
      expect(output).toBe(input);
    },
  ),
  differs(
    'variables.error',
    '§14.3 provider error aborts',
    'A provider that fails or is late costs its own values: an `error` element names it and the turn goes on; one that is `required` fails the run.',
    'In the seed any failure ends the run, and there is no time-out: one slow look-up silences the voice.',
    async () => {
      const broken = {
        name: 'weather',
        timeoutMs: 1,
        provide: () => new Promise<never>(() => {}),
      };
      const seen: unknown[] = [];
      const stages = [
        new VariableProviderStage({ variables: { a: 1 }, providers: [broken] }),
        looking(({ variables }) => seen.push(variables)),
      ];
      const outputs = await once(stages, [elements().user('Hi')]);
      expect(brief(outputs)).toEqual(['error:execution-timeout', 'user:Hi']);
      expect(only(outputs, 'error')[0]?.error.message).toContain('"weather"');
      expect(seen).toEqual([{ a: 1 }]);
      const needed = new VariableProviderStage({ providers: [{ ...broken, required: true }] });
      await expect(once([needed], [elements().user('Hi')])).rejects.toThrow(/weather/);
    },
  ),
  differs(
    'variables.per-turn',
    '§6.3 limitation, §12.4',
    'Providers are asked once per turn, so that a session knows the time of each turn.',
    'In the seed once per execution: frozen for a whole voice session.',
    async () => {
      let hour = 9;
      const time = timeVariables({ now: () => Date.UTC(2026, 0, 5, hour) });
      const seen: unknown[] = [];
      const session = live([
        new VariableProviderStage({ providers: [time] }),
        looking(({ variables }) => seen.push(variables['current_hour'])),
      ]);
      const make = elements();
      session.push(...make.asks('one'));
      await session.untilKind('turn-end');
      hour = 10;
      session.push(...make.asks('two'));
      await session.end();
      expect(seen).toEqual([9, 10]);
    },
  ),
  differs(
    'prompt.unknown-task',
    '§14.3 RegistryMissing, §12.10',
    'A task without a prompt is refused when the stage is made, and the known tasks are named.',
    'In the seed a typo in the task’s name degrades silently to “You are a helpful AI assistant.”',
    () =>
      expect(
        () => new PromptAssemblyStage({ prompts: { support: { system: 's' } }, task: 'suport' }),
      ).toThrow(
        expect.objectContaining({
          code: 'invalid-argument',
          hint: expect.stringContaining('support') as string,
        }),
      ),
  ),
  same(
    'prompt.turn-state',
    '§14.3 PopulatesTurnState, #1035',
    'Template, tools and variables of the task are in the state of every turn; the turn’s own variables win.',
    async () => {
      const seen: unknown[] = [];
      const stage = new PromptAssemblyStage({
        prompts: {
          t: { system: 'Hi {{name}}', variables: { name: 'you', x: 1 }, tools: ['clock'] },
        },
        task: 't',
      });
      const look = looking(({ systemTemplate, allowedTools, variables }) =>
        seen.push([systemTemplate, allowedTools, variables]),
      );
      const make = elements();
      await once([stage, look], [...make.asks('a'), ...make.asks('b')], {
        turn: { variables: { name: 'Ada' } },
      });
      const state = ['Hi {{name}}', ['clock'], { name: 'Ada', x: 1 }];
      expect(seen).toEqual([state, state]);
    },
  ),
  same(
    'template.substitution',
    '§14.3 Template',
    'None, one or several variables are filled in; defaults give way to the turn’s, those to the stage’s own.',
    async () => {
      const rendered = async (system: string): Promise<string> => {
        const prompts: string[] = [];
        await once(
          [
            new PromptAssemblyStage({
              prompts: { t: { system, variables: { a: 'default', b: 'default', c: 'default' } } },
              task: 't',
            }),
            new TemplateStage({ variables: { c: 'own' } }),
            looking(({ systemPrompt }) => prompts.push(systemPrompt)),
          ],
          [elements().user('Hi')],
          { turn: { variables: { b: 'turn', c: 'turn' } } },
        );
        return prompts[0] ?? '';
      };
      expect(await rendered('plain')).toBe('plain');
      expect(await rendered('{{a}} {{b}} {{ c }}')).toBe('default turn own');
    },
  ),
  differs(
    'template.per-turn',
    '§14.3 RenderCache, §12.4',
    'The prompt is rendered for every turn with the variables of that turn, exactly once a message.',
    'In the seed the first rendering is cached for the whole session.',
    async () => {
      let name = 'Ada';
      const prompts: string[] = [];
      const session = live(
        [
          new TemplateStage({ variables: () => ({ name }) }),
          looking(({ systemPrompt }) => prompts.push(systemPrompt)),
        ],
        { turn: { systemTemplate: 'For {{name}}' } },
      );
      const make = elements();
      session.push(...make.asks('one'));
      await session.untilKind('turn-end');
      name = 'Eve';
      session.push(...make.asks('two'));
      await session.end();
      expect(prompts).toEqual(['For Ada', 'For Eve']);
    },
  ),
  differs(
    'template.unresolved',
    '§14.3 render error → raw template',
    'A name without a value is left out of the prompt and reported by one `error` element that names it.',
    'In the seed the model is shown the raw template, braces and all.',
    async () => {
      const prompts: string[] = [];
      const make = elements();
      const outputs = await once(
        [new TemplateStage(), looking(({ systemPrompt }) => prompts.push(systemPrompt))],
        [...make.asks('one'), ...make.asks('two')],
        { turn: { systemTemplate: 'Dear {{who}}!' } },
      );
      expect(prompts).toEqual(['Dear !', 'Dear !']);
      const errors = only(outputs, 'error');
      expect(errors).toHaveLength(1);
      expect(errors[0]?.error).toMatchObject({
        code: 'template',
        details: { unresolved: ['who'] },
      });
    },
  ),
  differs(
    'template.user-text',
    '§14.3 in message content, §12.4',
    'Only system templates are rendered, in one pass: neither what people say nor the value of a variable can name another variable.',
    'In the seed a caller who says “{{secret}}” gets the value.',
    async () => {
      const prompts: string[] = [];
      const outputs = await once(
        [new TemplateStage(), looking(({ systemPrompt }) => prompts.push(systemPrompt))],
        [elements().user('Tell me {{secret}}')],
        {
          turn: {
            systemTemplate: 'You talk to {{name}}.',
            variables: { name: '{{secret}}', secret: 'xyzzy' },
          },
        },
      );
      expect(brief(outputs)).toEqual(['user:Tell me {{secret}}']);
      expect(prompts).toEqual(['You talk to {{secret}}.']);
    },
  ),
];

const output = [bannedWords(['damn'])];
const make = elements();
const spoken: readonly StreamElement[] = make.reply('Well damn it');

const validationRows: readonly Row[] = [
  same(
    'validation.passes',
    '§14.3 Validation, AttachesToMessage',
    'A message that passes is unchanged but for the note that says so; without validators nothing is judged.',
    async () => {
      const [judged] = await once([new ValidationStage({ output })], [make.assistant('Fine')]);
      expect(judged?.meta).toEqual({ validation: { passed: true, failures: [] } });
      const plain = make.assistant('Fine');
      expect(await once([new ValidationStage({})], [plain])).toEqual([plain]);
    },
  ),
  differs(
    'validation.fails',
    '§14.3 FailingValidation',
    'A reply that fails is cut where it becomes unacceptable, while it streams; an `error` element says why, the message ends there, and the session goes on.',
    'The seed buffers everything until the input closes and then fails the run: useless for speech.',
    async () => {
      const session = live([new ValidationStage({ output })]);
      session.push(...spoken);
      await session.untilKind('message');
      expect(brief(session.outputs)).toEqual(['+Well ', 'error:content-filter', 'assistant:Well ']);
      session.push(...make.reply('All is well'));
      await session.untilKind('message', 2);
      await session.end();
    },
  ),
  same(
    'validation.suppressed',
    '§14.3 SuppressedExceptions',
    '`annotate` changes nothing and holds nothing back; the failures are noted on the message and told.',
    async () => {
      const session = live([new ValidationStage({ output, onFailure: 'annotate' })]);
      session.push(...spoken);
      const outputs = await session.end();
      expect(brief(outputs)).toEqual(['+Well ', '+damn ', '+it', 'assistant:Well damn it', 'end']);
      expect(only(outputs, 'message')[0]?.meta?.['validation']).toMatchObject({ passed: false });
      expect(session.events.map(({ type }) => type)).toContain('validation-failed');
      const hear = new ValidationStage({
        input: [maxLength({ characters: 1 })],
        onFailure: 'annotate',
      });
      const [heard] = await once([hear], [make.user('long')]);
      expect(brief([heard!])).toEqual(['user:long']);
      expect(heard!.meta?.['validation']).toMatchObject({ passed: false });
    },
  ),
  differs(
    'validation.input',
    '§6.6 only assistant messages',
    'What the user says is judged too, before a model acts on it.',
    'In the seed the promised validation of input does nothing.',
    async () => {
      const provider = scriptedProvider(['Fine.']);
      const session = live([
        new ValidationStage({ input: [maxLength({ characters: 5 })] }),
        new ProviderStage({ provider }),
      ]);
      session.push(...make.asks('far too long'), ...make.asks('short'));
      await session.end();
      expect(provider.requests.map(({ messages }) => messages.map(messageText))).toEqual([
        ['short'],
      ]);
      expect(only(session.outputs, 'error')[0]?.error.code).toBe('content-filter');
    },
  ),
  same(
    'validation.validators',
    '§6.6 validators',
    'Banned words (whole, any case), sentences, length and required fields judge as in the seed.',
    async () => {
      const passes = async (
        validator: NonNullable<ConstructorParameters<typeof ValidationStage>[0]['output']>[number],
        text: string,
      ): Promise<unknown> => {
        const stage = new ValidationStage({ output: [validator], onFailure: 'annotate' });
        const [one] = await once([stage], [make.assistant(text)]);
        return (one!.meta!['validation'] as { readonly passed: boolean }).passed;
      };
      expect(await passes(bannedWords(['ass']), 'A classy hat')).toBe(true);
      expect(await passes(bannedWords(['ass']), 'An ASS!')).toBe(false);
      expect(await passes(maxSentences(2), 'One. Two!')).toBe(true);
      expect(await passes(maxSentences(2), 'One. Two! Three?')).toBe(false);
      expect(await passes(maxLength({ tokens: 2 }), 'eight ch')).toBe(true);
      expect(await passes(maxLength({ tokens: 2 }), 'nine char')).toBe(false);
      expect(await passes(requiredFields(['price']), 'The price is 3')).toBe(true);
      expect(await passes(requiredFields(['price', 'date']), 'The price is 3')).toBe(false);
    },
  ),
  differs(
    'validation.history',
    '§14.3 NoAssistantMessage',
    'History and what the page has said are never judged; validators are named in every failure, one that throws included.',
    'In the seed results are matched by position, so that a skipped validator shifts the names.',
    async () => {
      const stage = new ValidationStage({
        output: [
          { name: 'broken', check: () => Promise.reject(new Error('no service')) },
          ...output,
        ],
        onFailure: 'annotate',
      });
      const old = make.assistant('damn', {}, { meta: { fromHistory: true } });
      const said = make.text('damn');
      const outputs = await once([stage], [old, said, make.assistant('damn')]);
      expect(outputs.slice(0, 2)).toEqual([old, said]);
      const note = outputs[2]?.meta?.['validation'] as {
        readonly failures: readonly { readonly validator: string }[];
      };
      expect(note.failures.map(({ validator }) => validator).toSorted()).toEqual([
        'banned-words',
        'broken',
      ]);
    },
  ),
];

/** Everything around the model. */
export const conversationAreas: readonly Area[] = [
  { title: 'Stored conversations', rows: stateRows },
  { title: 'Variables, prompts and templates', rows: promptRows },
  { title: 'Validation', rows: validationRows },
];
