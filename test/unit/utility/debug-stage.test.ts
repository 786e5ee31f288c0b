import { describe, expect, it } from 'vitest';
import { element, type StreamElement } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { DebugStage, type DebugLogger } from '../../../src/stages/utility/debug-stage.ts';
import { runOn, testContext } from '../../../src/testing/stage-context.ts';
import { turnEnd, user } from '../conversation/helpers.ts';

/** A logger and what it was told, as one text and as facts. */
function notebook(): {
  readonly logger: DebugLogger;
  readonly lines: string[];
  readonly facts: Readonly<Record<string, unknown>>[];
} {
  const lines: string[] = [];
  const facts: Readonly<Record<string, unknown>>[] = [];
  const log =
    (level: string) =>
    (line: string, told: Readonly<Record<string, unknown>>): void => {
      lines.push(`${level} ${line}`);
      facts.push(told);
    };
  return { logger: { debug: log('debug'), info: log('info'), warn: log('warn') }, lines, facts };
}

const audio = (): StreamElement =>
  element('audio', { samples: new Float32Array(512).fill(0.25), sampleRate: 16_000 });

describe('DebugStage', () => {
  it('passes everything on as it is and logs each element but audio', async () => {
    const { logger, lines } = notebook();
    const inputs = [audio(), user('Hello'), turnEnd()];
    const outputs = await runOn(new DebugStage({ label: 'x', logger }), inputs);
    expect(outputs).toHaveLength(3);
    for (const [index, output] of outputs.entries()) expect(output).toBe(inputs[index]);
    expect(lines).toEqual(['debug [x] message', 'debug [x] turn-end']);
  });

  it('logs the chosen kinds at the chosen level', async () => {
    const { logger, lines, facts } = notebook();
    const stage = new DebugStage({ label: 'pcm', logger, level: 'warn', kinds: ['audio'] });
    await runOn(stage, [audio(), user('Hello')]);
    expect(lines).toEqual(['warn [pcm] audio']);
    expect(facts[0]).toMatchObject({ samples: 512, durationMs: 32, sampleRate: 16_000 });
  });

  it('shows neither samples nor bytes nor secrets', async () => {
    const { logger, facts } = notebook();
    const secret = 'hunter2hunter2';
    await runOn(new DebugStage({ label: 'x', logger, previewLength: 1000 }), [
      element('speech', {
        samples: new Float32Array(8).fill(0.123),
        sampleRate: 8000,
        text: 'Hi',
        last: true,
        meta: { apiKey: secret, nested: { Authorization: secret, tokens: 12 } },
      }),
      element('media', { mediaType: 'image/png', data: new Uint8Array(64).fill(77) }),
      element('media', { mediaType: 'image/png', data: `data:image/png;base64,${secret}` }),
      element('tool-call', {
        call: { id: '1', name: 'log-in', arguments: { user: 'ann', password: secret } },
      }),
      element('tool-result', {
        callId: '1',
        name: 'log-in',
        result: { access_token: secret, bytes: new Float32Array(4) },
        isError: false,
      }),
      user(`my key is sk-${secret} and Bearer ${secret}`),
    ]);
    const log = JSON.stringify(facts);
    expect(log).not.toContain(secret);
    expect(log).not.toContain('0.123');
    expect(log).not.toContain('77,77');
    expect(log).toContain('64 bytes');
    expect(log).toContain('ann');
    expect(log).toContain('"tokens":12');
  });

  it('cuts long texts and can show lengths only', async () => {
    const { logger, facts } = notebook();
    await runOn(new DebugStage({ label: 'x', logger, previewLength: 4 }), [user('abcdefgh')]);
    await runOn(new DebugStage({ label: 'x', logger, previewLength: 0 }), [user('abcdefgh')]);
    expect(JSON.stringify(facts[0])).toContain('abcd… (8 characters)');
    expect(JSON.stringify(facts[1])).not.toContain('abcd');
  });

  it('goes on when the logger throws or a value refers to itself', async () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    let calls = 0;
    const fail = (): void => {
      calls++;
      throw new Error('full');
    };
    const context = testContext();
    const stage = new DebugStage({ label: 'x', logger: { debug: fail, info: fail, warn: fail } });
    expect(await runOn(stage, [user('A', 1, circle), user('B')], context)).toHaveLength(2);
    expect(calls).toBe(1);
    expect(context.events.map(({ type }) => type)).toEqual(['debug-failed']);
    const { logger, facts } = notebook();
    await runOn(new DebugStage({ label: 'x', logger }), [user('A', 1, circle)]);
    expect(facts).toHaveLength(1);
  });

  it('sits twice in a pipeline under two labels', async () => {
    const { logger, lines } = notebook();
    const pipeline = new PipelineBuilder()
      .chain(new DebugStage({ label: 'a', logger }), new DebugStage({ label: 'b', logger }))
      .build();
    const { messages } = await pipeline.executeSync(user('Hello'));
    expect(messages).toHaveLength(1);
    expect(lines.filter((line) => line.endsWith('message'))).toEqual([
      'debug [a] message',
      'debug [b] message',
    ]);
    await pipeline.shutdown();
  });
});
