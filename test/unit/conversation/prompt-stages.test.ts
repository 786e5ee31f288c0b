import { constantFrom, assert, array, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PromptAssemblyStage } from '../../../src/stages/conversation/prompt-assembly-stage.ts';
import { renderTemplate } from '../../../src/stages/conversation/template.ts';
import { TemplateStage } from '../../../src/stages/conversation/template-stage.ts';
import { runOn, testContext } from '../../../src/testing/stage-context.ts';
import { brief, turnEnd, user } from './helpers.ts';

const prompts = {
  chat: {
    system: 'You are {{ name }}.',
    variables: { name: 'Ann', tone: 'kind' },
    tools: ['clock'],
  },
  plain: { system: 'Be brief.' },
};

describe('PromptAssemblyStage', () => {
  it('writes template, variables and tools of its task into every turn, the turn’s own variables winning', async () => {
    const context = testContext();
    context.turn(2).variables = { name: 'Bob' };
    const stage = new PromptAssemblyStage({ prompts, task: 'chat', variables: { tone: 'dry' } });
    const inputs = [user('A'), turnEnd(), user('B', 2)];
    expect(await runOn(stage, inputs, context)).toEqual(inputs);
    expect(context.turn(1)).toMatchObject({
      systemTemplate: 'You are {{ name }}.',
      variables: { name: 'Ann', tone: 'dry' },
      allowedTools: ['clock'],
    });
    expect(context.turn(2).variables).toEqual({ name: 'Bob', tone: 'dry' });
  });

  it('leaves what a later stage wrote alone while the turn goes on', async () => {
    const context = testContext();
    const stage = new PromptAssemblyStage({ prompts, task: 'plain' });
    const seen: string[] = [];
    for await (const item of stage.process(
      (async function* () {
        yield* [user('A'), turnEnd()];
      })(),
      context,
    )) {
      seen.push(context.turn(item.turn).systemTemplate);
      context.turn(item.turn).systemTemplate = 'changed';
    }
    expect(seen).toEqual(['Be brief.', 'changed']);
  });

  it('refuses an unknown task and names the known ones', () => {
    expect(() => new PromptAssemblyStage({ prompts, task: 'toString' })).toThrow(
      expect.objectContaining({ code: 'invalid-argument', hint: 'Known tasks: chat, plain.' }),
    );
  });
});

describe('templates', () => {
  it.each([
    ['Hi {{name}}, {{ name }}!', { name: 'Ann' }, 'Hi Ann, Ann!', []],
    ['{{user.name}} {{a.b}}', { user: { name: 'Ann' }, 'a.b': 'exact' }, 'Ann exact', []],
    ['{{n}} {{ok}} {{list}}', { n: 3, ok: false, list: [1, 2] }, '3 false [1,2]', []],
    ['[{{gone}}] {{nil}}', { nil: null }, '[] ', ['gone', 'nil']],
    ['{{constructor}}', {}, '', ['constructor']],
    ['{{größe}} {{名前}}', { größe: 'XL' }, 'XL ', ['名前']],
    [
      '{{day}} {{page}} [{{act}}]',
      { day: new Date(0), page: new URL('https://a.example/'), act: () => 1 },
      '1970-01-01T00:00:00.000Z https://a.example/ []',
      ['act'],
    ],
    ['{{a}}', { a: '{{b}}', b: 'secret' }, '{{b}}', []],
    ['{ {name} } {{}} {{two words}}', { name: 'x' }, '{ {name} } {{}} {{two words}}', []],
  ])('%s', (template, variables, text, unresolved) => {
    expect(renderTemplate(template, variables)).toEqual({ text, unresolved });
  });

  it('never let a value read another variable', () => {
    const piece = constantFrom('{{', '}}', 'secret', '{{secret}}', ' ', '$&', '$1');
    assert(
      property(array(piece), string(), (pieces, text) => {
        const value = pieces.join('') + text;
        expect(renderTemplate('<{{value}}>', { value, secret: 'S3CRET' }).text).toBe(`<${value}>`);
      }),
    );
  });
});

describe('TemplateStage', () => {
  it('renders per turn with the variables of the moment and never touches what people say', async () => {
    const context = testContext();
    for (const turn of [1, 2]) {
      context.turn(turn).systemTemplate = '{{name}} at {{hour}}';
      context.turn(turn).variables = { name: `N${turn}` };
    }
    let hour = 9;
    const stage = new TemplateStage({ variables: () => ({ hour: (hour += 1) }) });
    const outputs = await runOn(stage, [user('{{name}}'), user('B', 2)], context);
    expect(brief(outputs)).toEqual(['user:{{name}}', 'user:B']);
    expect([1, 2].map((turn) => context.turn(turn).systemPrompt)).toEqual(['N1 at 10', 'N2 at 11']);
  });

  it('reports names without a value once, not in every turn', async () => {
    const context = testContext();
    for (const turn of [1, 2, 3])
      context.turn(turn).systemTemplate = turn < 3 ? '{{gone}}.' : '{{lost}}.';
    const inputs = [user('A'), turnEnd(), user('B', 2), user('C', 3)];
    const outputs = await runOn(new TemplateStage(), inputs, context);
    expect(brief(outputs)).toEqual([
      'error:template',
      'user:A',
      'turn-end',
      'user:B',
      'error:template',
      'user:C',
    ]);
    expect(outputs[0]).toMatchObject({
      error: { details: { unresolved: ['gone'] }, stage: 'template' },
    });
  });

  it('leaves a prompt without a template as it is', async () => {
    const context = testContext();
    context.turn(1).systemPrompt = 'As given.';
    await runOn(new TemplateStage(), [user('A')], context);
    expect(context.turn(1).systemPrompt).toBe('As given.');
  });
});
