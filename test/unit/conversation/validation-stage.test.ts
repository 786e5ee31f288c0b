import { describe, expect, it } from 'vitest';
import {
  element,
  messageText,
  textMessage,
  type Message,
  type StreamElement,
} from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import {
  ValidationStage,
  type ValidationOptions,
} from '../../../src/stages/conversation/validation-stage.ts';
import {
  bannedWords,
  maxLength,
  maxSentences,
  type Validator,
} from '../../../src/stages/conversation/validators.ts';
import {
  customValidator,
  jsonSchema,
  requiredFields,
  standardSchema,
} from '../../../src/stages/conversation/whole-validators.ts';
import type { StandardSchema } from '../../../src/providers/tools.ts';
import { runOn, testContext } from '../../../src/testing/stage-context.ts';
import { assistant, brief, collect, feed, turnEnd, user } from './helpers.ts';

/** A reply as a provider streams it: deltas, the whole, the end of the turn. */
function reply(pieces: readonly string[], facts: Partial<Message> = {}, turn = 1): StreamElement[] {
  return [
    ...pieces.map((text) => element('text', { text, delta: true, role: 'assistant', turn })),
    assistant(pieces.join(''), turn, facts),
    turnEnd(turn),
  ];
}

const said = (outputs: readonly StreamElement[]): string =>
  outputs.map((item) => (item.kind === 'text' && item.delta ? item.text : '')).join('');

const run = (
  options: ValidationOptions,
  inputs: readonly StreamElement[],
): Promise<StreamElement[]> => runOn(new ValidationStage(options), inputs);

const problemsOf = async (validator: Validator, text: string): Promise<unknown> => {
  const outputs = await run({ input: [validator], onFailure: 'annotate' }, [user(text)]);
  const note = outputs[0]?.meta?.['validation'] as {
    readonly failures: readonly { readonly problem: string }[];
  };
  return note.failures.map(({ problem }) => problem);
};

describe('validators', () => {
  it.each([
    ['You ASS.', ['“ASS” is banned']],
    ['A class of grass', []],
    ['as s', []],
    ['big \n deal', ['“big \n deal” is banned']],
    ['bigger deal', []],
    ['它是坏人吗', ['“坏人” is banned']],
    ['i write c++.', ['“c++” is banned']],
    ['assé', []],
  ])('bannedWords finds whole words and phrases in “%s”', async (text, problems) => {
    expect(await problemsOf(bannedWords(['ass', 'big deal', '坏人', 'c++']), text)).toEqual(
      problems,
    );
  });

  it('a cut inside a word leaves no other that is banned', async () => {
    const output = [bannedWords(['ass']), maxLength({ characters: 4 })];
    for (const pieces of [['"assass'], ['"as', 'sas', 's'], '"assass'.split('')])
      expect(said(await run({ output }, reply(pieces)))).toBe('"');
    expect(said(await run({ output: output.slice(1) }, reply(['"assass'])))).toBe('"ass');
    // Nor while something longer may still be banned further on.
    const longer = [bannedWords(['ass', 'big ass hat']), maxLength({ characters: 4 })];
    const text = `"${'ass'.repeat(8)}big ass ass`;
    for (const pieces of [[text], text.split('')])
      expect(said(await run({ output: longer }, reply(pieces)))).toBe('"');
  });

  it('bannedWords refuses an empty phrase', () => {
    expect(() => bannedWords(['ok', ' '])).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  });

  it.each([
    [{ characters: 5 }, 'abcde', true],
    [{ characters: 5 }, 'abcdef', false],
    [{ tokens: 1 }, 'abcd', true],
    [{ tokens: 1, characters: 9 }, 'abcde', false],
    [{}, 'anything', true],
  ])('maxLength with %o on “%s”: %s', async (limits, text, passes) => {
    expect(await problemsOf(maxLength(limits), text)).toHaveLength(passes ? 0 : 1);
  });

  it.each([
    ['One. Two!', true],
    ['One. Two? Three', false],
    ['It is 3.14 or 2.71 or 1.41.', true],
    ['“Yes.” No… ', true],
    ['一。二。', true],
    ['一。二。三。', false],
    ['', true],
  ])('maxSentences counts “%s”', async (text, passes) => {
    expect(await problemsOf(maxSentences(2), text)).toHaveLength(passes ? 0 : 1);
  });

  it('requiredFields names what is missing', async () => {
    const validator = requiredFields(['order', 'price']);
    expect(await problemsOf(validator, 'price: 3')).toEqual(['“order” is missing']);
  });

  it('jsonSchema wants JSON that fits', async () => {
    const validator = jsonSchema({ type: 'object', required: ['a'] });
    expect(await problemsOf(validator, '{"a":1}')).toEqual([]);
    expect(await problemsOf(validator, '{}')).toEqual(['text.a is missing']);
    expect(await problemsOf(validator, '{a')).toEqual([expect.stringContaining('is not JSON')]);
  });

  it('standardSchema takes any library’s schema, on JSON or on the text', async () => {
    const schema: StandardSchema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) =>
          value === 'ok'
            ? { value }
            : { issues: [{ message: 'must be ok', path: ['a', { key: 0 }] }, { message: 'no' }] },
      },
    };
    expect(await problemsOf(standardSchema(schema), '"ok"')).toEqual([]);
    expect(await problemsOf(standardSchema(schema, { as: 'text' }), 'ok')).toEqual([]);
    expect(await problemsOf(standardSchema(schema), '1')).toEqual(['a.0: must be ok', 'no']);
  });

  it('customValidator may answer with nothing, one problem or several, and a throw is a problem', async () => {
    expect(
      await problemsOf(
        customValidator('x', () => undefined),
        'A',
      ),
    ).toEqual([]);
    expect(
      await problemsOf(
        customValidator('x', () => 'bad'),
        'A',
      ),
    ).toEqual(['bad']);
    expect(
      await problemsOf(
        customValidator('x', () => Promise.resolve(['a', 'b'])),
        'A',
      ),
    ).toEqual(['a', 'b']);
    const thrower = customValidator('x', () => {
      throw new Error('down');
    });
    expect(await problemsOf(thrower, 'A')).toEqual(['could not be judged: down']);
  });
});

describe('ValidationStage on input', () => {
  it.each([-1, Number.NaN])('refuses a limit of %d sentences', (most) => {
    expect(() => maxSentences(most)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });

  it('refuses a way to deal with failures that there is not', () => {
    expect(() => new ValidationStage({ onFailure: 'drop' as never })).toThrow(
      expect.objectContaining({ code: 'invalid-argument', stage: 'validation' }),
    );
  });

  const input = [bannedWords(['bomb'])];

  it('blocks: an error in the message’s place, and the turn still ends', async () => {
    const outputs = await run({ input }, [user('a bomb'), turnEnd(), user('hello', 2)]);
    expect(brief(outputs)).toEqual(['error:content-filter', 'turn-end', 'user:hello']);
    expect(outputs[0]).toMatchObject({
      turn: 1,
      error: { stage: 'validation', details: { direction: 'input' } },
    });
    expect(outputs[2]?.meta).toEqual({ validation: { passed: true, failures: [] } });
  });

  it('replaces the text and keeps id and other parts', async () => {
    const message: Message = {
      ...textMessage('user', 'a bomb'),
      parts: [
        { type: 'text', text: 'a bomb' },
        { type: 'image', mediaType: 'image/png', data: 'x' },
      ],
    };
    const replacement: ValidationOptions['replacement'] = ({ text, failures }) =>
      text.replace('bomb', '*'.repeat(failures.length));
    const [output] = await run({ input, onFailure: 'replace', replacement }, [
      element('message', { message, turn: 1 }),
    ]);
    expect(output).toMatchObject({
      message: {
        id: message.id,
        parts: [
          { type: 'text', text: 'a *' },
          { type: 'image', data: 'x' },
        ],
      },
      meta: { validation: { passed: false } },
    });
  });

  it('annotates, and tells', async () => {
    const context = testContext();
    const stage = new ValidationStage({ input, onFailure: 'annotate' });
    const outputs = await runOn(stage, [user('a bomb')], context);
    expect(brief(outputs)).toEqual(['user:a bomb']);
    expect(outputs[0]?.meta).toMatchObject({ validation: { passed: false } });
    expect(context.events).toMatchObject([
      { type: 'validation-failed', detail: { turn: 1, direction: 'input' } },
    ]);
  });

  it('judges neither history nor replies nor transcripts nor what the page wants said', async () => {
    const inputs = [
      user('bomb', 1, { fromHistory: true }),
      assistant('bomb'),
      element('transcript', { text: 'bomb', final: true, turn: 1 }),
      element('text', { text: 'bomb', delta: false, turn: 1 }),
    ];
    expect(await run({ input, output: [] }, inputs)).toEqual(inputs);
  });
});

describe('ValidationStage on output', () => {
  const output = [bannedWords(['damn'])];

  it('lets a good reply through while it is written, holding back an unfinished word only', async () => {
    const source = feed();
    const stage = new ValidationStage({ output });
    const seen = collect(stage.process(source, testContext()));
    const [first, second, ...rest] = reply(['Well, da', 'mage is ', 'done.']);
    if (first && second) source.push(first, second);
    expect(said(await seen.until(2))).toBe('Well, damage is ');
    source.push(...rest);
    source.end();
    await seen.done;
    expect(brief(seen.all).slice(2)).toEqual([
      '+done.',
      'assistant:Well, damage is done.',
      'turn-end',
    ]);
  });

  it('blocks: cuts the reply before the violation and swallows the rest', async () => {
    const inputs = reply(['Oh da', 'mn it', ' again.'], { generated: 'Oh damn it again.' });
    const outputs = await run({ output }, inputs);
    expect(said(outputs)).toBe('Oh ');
    expect(brief(outputs)).toEqual(['+Oh ', 'error:content-filter', 'assistant:Oh ', 'turn-end']);
    expect(outputs[2]).toMatchObject({
      message: { generated: 'Oh ', finishReason: 'content-filter' },
      meta: { validation: { passed: false, failures: [{ validator: 'banned-words' }] } },
    });
  });

  it('replaces: the replacement follows what was said already, and the message agrees', async () => {
    const options: ValidationOptions = { output, onFailure: 'replace', replacement: 'Never mind.' };
    const outputs = await run(options, reply(['Oh, damn', ' it']));
    expect(said(outputs)).toBe('Oh, Never mind.');
    expect(brief(outputs).slice(-2)).toEqual(['assistant:Oh, Never mind.', 'turn-end']);
  });

  it('annotates without holding anything back', async () => {
    const inputs = reply(['da', 'mn']);
    const outputs = await run({ output, onFailure: 'annotate' }, inputs);
    expect(brief(outputs)).toEqual(brief(inputs));
    expect(outputs[2]?.meta).toMatchObject({ validation: { passed: false } });
  });

  it('holds the whole reply back for a validator that needs it', async () => {
    const whole = [requiredFields(['total'])];
    expect(brief(await run({ output: whole }, reply(['the ', 'total'])))).toEqual([
      '+the total',
      'assistant:the total',
      'turn-end',
    ]);
    expect(brief(await run({ output: whole }, reply(['the ', 'sum'])))).toEqual([
      'error:content-filter',
      'assistant:',
      'turn-end',
    ]);
  });

  it('judges a message that came without deltas, and drops its tool calls when it fails', async () => {
    const toolCalls = [{ id: '1', name: 'x', arguments: {} }];
    const outputs = await run({ output }, [
      assistant('damn', 1, { toolCalls }),
      assistant('fine', 2),
    ]);
    expect(brief(outputs)).toEqual(['error:content-filter', 'assistant:', 'assistant:fine']);
    expect(JSON.stringify(outputs[1])).not.toContain('toolCalls');
  });

  it('lets out what it held when the turn ends without a message', async () => {
    const [delta] = reply(['good']);
    if (!delta) throw new Error('no delta');
    expect(brief(await run({ output }, [delta, turnEnd()]))).toEqual(['+good', 'turn-end']);
    expect(brief(await run({ output }, [delta]))).toEqual(['+good']);
  });

  it('keeps the turns of a session apart', async () => {
    const outputs = await run({ output }, [
      ...reply(['damn'], {}, 1),
      ...reply(['all ', 'right'], {}, 2),
    ]);
    expect(brief(outputs)).toEqual([
      'error:content-filter',
      'assistant:',
      'turn-end',
      '+all ',
      '+right',
      'assistant:all right',
      'turn-end',
    ]);
  });

  it('says nothing more of an interrupted reply, whose message passes', async () => {
    const context = testContext();
    const stage = new ValidationStage({ output });
    const inputs = (async function* () {
      yield element('text', { text: 'good', delta: true, turn: 1 });
      context.interrupt(1);
      yield assistant('good', 1, { finishReason: 'interrupted' });
    })();
    expect(brief(await runOn(stage, inputs, context))).toEqual(['assistant:good']);
  });

  it.each([
    ['block', 'custom'],
    ['replace', 'custom'],
    ['block', 'fields'],
    ['replace', 'fields'],
  ] as const)(
    'makes no trouble of an interrupted reply that nobody approved: %s, %s',
    async (onFailure, which) => {
      const context = testContext();
      const validators = {
        custom: customValidator('any', () => undefined),
        fields: requiredFields(['price']),
      };
      const stage = new ValidationStage({ output: [validators[which]], onFailure });
      const inputs = (async function* () {
        yield element('text', { text: 'half a ', delta: true, turn: 1 });
        context.interrupt(1);
        yield assistant('half a ', 1, { generated: 'half a ', finishReason: 'interrupted' });
        yield turnEnd();
        // A reply that comes whole, too.
        yield assistant('another', 1, { finishReason: 'interrupted' });
      })();
      const outputs = await runOn(stage, inputs, context);
      expect(brief(outputs)).toEqual(['assistant:', 'turn-end', 'assistant:']);
      expect(outputs[0]).toMatchObject({
        message: { finishReason: 'interrupted', generated: '' },
        meta: { validation: { passed: false } },
      });
    },
  );

  it('judges what the user said to the end, although they say more', async () => {
    const context = testContext();
    const slow = customValidator('slow', async () => {
      context.interrupt(1);
      await Promise.resolve();
      return undefined;
    });
    const outputs = await runOn(new ValidationStage({ input: [slow] }), [user('Wait')], context);
    expect(brief(outputs)).toEqual(['user:Wait']);
  });

  it('does not wait for a validator of an interrupted turn', async () => {
    const context = testContext();
    const slow = customValidator('slow', () => {
      queueMicrotask(() => context.interrupt(1));
      return new Promise<undefined>(() => undefined);
    });
    const outputs = await runOn(
      new ValidationStage({ output: [slow], onFailure: 'annotate' }),
      [assistant('hello')],
      context,
    );
    expect(outputs[0]?.meta).toMatchObject({ validation: { passed: false } });
  });

  it('works on both sides of a stage in a built pipeline', async () => {
    const pipeline = new PipelineBuilder()
      .chain(
        new ValidationStage({ name: 'hear', input: [maxLength({ characters: 8 })] }),
        new ValidationStage({ name: 'say', output, onFailure: 'replace', replacement: '' }),
      )
      .build();
    const { messages } = await pipeline.executeSync(
      user('much too long'),
      user('short'),
      ...reply(['Hi ', 'damn'], {}, 2),
    );
    expect(messages.map(messageText)).toEqual(['short', 'Hi ']);
    await pipeline.shutdown();
  });
});
