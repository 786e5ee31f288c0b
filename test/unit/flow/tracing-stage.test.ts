/** Spans, trace ids, OpenTelemetry and Chrome traces of the tracing stage. */
import { describe, expect, it, vi } from 'vitest';
import { element, textMessage, type StreamElement } from '../../../src/core/element.ts';
import { serializeError } from '../../../src/core/errors.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { defineStage, transform } from '../../../src/core/stage/define-stage.ts';
import type { OtelSpan, OtelTracer } from '../../../src/stages/flow/open-telemetry.ts';
import { TraceRecorder, type TraceSpan } from '../../../src/stages/flow/trace-recorder.ts';
import {
  formatTraceparent,
  parseTraceparent,
  randomId,
} from '../../../src/stages/flow/traceparent.ts';
import { TracingStage, type TracingOptions } from '../../../src/stages/flow/tracing-stage.ts';
import { ProviderStage } from '../../../src/stages/conversation/provider-stage.ts';
import { elements } from '../../../src/testing/elements.ts';
import { settle } from '../../../src/testing/fake-clock.ts';
import { gate } from '../../../src/testing/gate.ts';
import { reply, scriptedProvider } from '../../../src/testing/scripted-provider.ts';
import { runOn, testContext } from '../../../src/testing/stage-context.ts';
import { recording, text } from './graphs.ts';

const traceparentOf = (one: StreamElement | undefined) =>
  parseTraceparent(one?.meta?.['traceparent']);
const operation = { name: 'chat', provider: 'openai', model: 'some-model' };
const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** A model that takes 250 ms to its first word and 250 to the rest. */
const model = (clock: { ms: number }) =>
  defineStage({
    name: 'model',
    type: 'generate',
    consumes: ['message'],
    emits: ['text', 'message'],
    async *process(input) {
      for await (const { turn } of input) {
        clock.ms += 250;
        yield element('text', { text: 'Hi', delta: true, turn });
        clock.ms += 250;
        const facts = { finishReason: 'stop', usage: { inputTokens: 7, outputTokens: 2 } };
        yield element('message', { message: textMessage('assistant', 'Hi', facts), turn });
      }
    },
  });

const ask = (turn: number): StreamElement =>
  element('message', { message: textMessage('user', 'secret question'), turn });

async function traced(
  options: TracingOptions,
  ...input: StreamElement[]
): Promise<{ readonly spans: readonly TraceSpan[]; readonly outputs: readonly StreamElement[] }> {
  const clock = { ms: 1000 };
  const stage = new TracingStage(model(clock), options);
  const context = testContext({ now: () => clock.ms });
  return { outputs: await runOn(stage, input, context), spans: stage.recorder.spans };
}

/** A tracer that keeps what it is told. */
function fakeTracer(): OtelTracer & { readonly log: unknown[] } {
  const log: unknown[] = [];
  return {
    log,
    startSpan(name, options, context): OtelSpan {
      log.push(['start', name, options, context]);
      return {
        spanContext: () => ({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }),
        setAttribute: (key, value) => log.push([key, value]),
        setStatus: (status) => log.push(['status', status]),
        end: (at) => void log.push(['end', at]),
      };
    },
  };
}

describe('TracingStage', () => {
  it('puts the ids of its span on what it emits, one trace per turn', async () => {
    const { outputs, spans } = await traced({}, ask(1), ask(2));
    expect(spans.map(({ turn, startMs, endMs }) => [turn, startMs, endMs])).toEqual([
      [1, 1000, 1500],
      [2, 1500, 2000],
    ]);
    expect(outputs).toHaveLength(4);
    for (const one of outputs) {
      const span = spans.find(({ turn }) => turn === one.turn);
      expect(traceparentOf(one)).toEqual({ traceId: span?.traceId, spanId: span?.spanId });
    }
    expect(spans[0]?.traceId).not.toBe(spans[1]?.traceId);
    expect(spans[0]).not.toHaveProperty('parentSpanId');
  });

  it('preserves ids that an element has, and continues their trace', async () => {
    const stage = new TracingStage(recording('through'));
    const [output] = await runOn(stage, [{ ...text('x'), meta: { traceparent: given, other: 1 } }]);
    expect(output?.meta).toEqual({ traceparent: given, other: 1 });
    expect(stage.recorder.spans).toMatchObject([
      { traceId: '0af7651916cd43dd8448eb211c80319c', parentSpanId: 'b7ad6b7169203331' },
    ]);
  });

  it('joins the stages of a pipeline in one trace per turn, in a live session', async () => {
    const recorder = new TraceRecorder();
    const clock = { ms: 0 };
    const pipeline = new PipelineBuilder({ session: 'live' })
      .add(new TracingStage(recording('first'), { recorder }))
      .add(new TracingStage(model(clock), { recorder }))
      .connect('first', 'model')
      .build();
    await pipeline.executeSync(ask(1), ask(2));
    const of = (stage: string, turn: number) =>
      recorder.spans.find((span) => span.stage === stage && span.turn === turn);
    expect(recorder.spans).toHaveLength(4);
    for (const turn of [1, 2]) {
      expect(of('model', turn)?.traceId).toBe(of('first', turn)?.traceId);
      expect(of('model', turn)?.parentSpanId).toBe(of('first', turn)?.spanId);
    }
    expect(of('first', 1)?.traceId).not.toBe(of('first', 2)?.traceId);
  });

  it('follows the GenAI conventions when it is told the operation, and records no content', async () => {
    const { spans } = await traced({ operation }, ask(1));
    expect(spans).toMatchObject([
      {
        name: 'chat some-model',
        attributes: {
          'antiphon.stage': 'model',
          'antiphon.turn': 1,
          'gen_ai.conversation.id': 'test',
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': 'openai',
          'gen_ai.request.model': 'some-model',
          'gen_ai.response.time_to_first_chunk': 0.25,
          'gen_ai.response.finish_reasons': ['stop'],
          'gen_ai.usage.input_tokens': 7,
          'gen_ai.usage.output_tokens': 2,
        },
      },
    ]);
    expect(JSON.stringify(spans)).not.toMatch(/secret|Hi/);
  });

  it('marks interrupted turns, error elements and throws', async () => {
    const failing = transform({
      name: 'failing',
      consumes: ['text'],
      emits: ['error'],
      process(one) {
        if (one.text === 'throw') throw new Error('torn');
        return element('error', { turn: one.turn, error: serializeError(new Error('small')) });
      },
    });
    const stage = new TracingStage(failing);
    const input = [text('a', 1), element('interrupt', { turn: 1 }), text('throw', 2)];
    await expect(runOn(stage, input)).rejects.toThrow('torn');
    expect(stage.recorder.spans).toMatchObject([
      { turn: 1, error: 'unknown', attributes: { 'antiphon.interrupted': true } },
      { turn: 2, error: 'stage', attributes: { 'error.type': 'stage' } },
    ]);
  });

  it('keeps the span of a reply open while the person already speaks, in a live session', async () => {
    const answer = gate();
    const exchange = [
      'Hello ',
      reply.gate(answer),
      'there.',
      reply.finish('stop', { inputTokens: 3, outputTokens: 4 }),
    ];
    const provider = scriptedProvider([exchange, ['And ', reply.hang]]);
    const stage = new TracingStage(new ProviderStage({ provider }), { operation });
    const make = elements();
    const run = new PipelineBuilder({ session: 'live' })
      .add(stage)
      .build()
      .execute(
        (async function* () {
          yield* make.asks('hi');
          await answer.reached;
          // A cough, while the first reply is on its way.
          yield make.speechStart();
          yield make.speechEnd({ misfire: true });
          await settle();
          answer.open();
          await settle();
          yield* make.asks('and then?');
          await settle();
          yield make.speechStart();
          yield make.interrupt(2);
          await settle();
        })(),
      );
    await run.drain();
    const of = (turn: number) => stage.recorder.spans.find((span) => span.turn === turn);
    expect(of(1)?.attributes).toMatchObject({
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.output_tokens': 4,
    });
    expect(of(2)?.attributes).toMatchObject({
      'antiphon.interrupted': true,
      'gen_ai.response.finish_reasons': ['interrupted'],
    });
    expect(stage.recorder.spans.map(({ turn }) => turn).slice(0, 2)).toEqual([1, 2]);
  });

  it('has few spans open at a time, however many turns come without an end', async () => {
    const recorder = new TraceRecorder();
    let open = 0;
    const stage = new TracingStage(
      transform({
        name: 'counting',
        consumes: ['text'],
        emits: [],
        process: ({ turn }) => {
          open = Math.max(open, turn - recorder.spans.length);
        },
      }),
      { recorder },
    );
    await runOn(
      stage,
      Array.from({ length: 100 }, (_, index) => text('x', index + 1)),
    );
    expect(open).toBe(4);
    expect(recorder.spans).toHaveLength(100);
  });

  it('keeps what comes late in the trace of its turn, and turn 0 in one span', async () => {
    const late = defineStage({
      name: 'late',
      type: 'transform',
      consumes: ['text'],
      emits: ['text'],
      async *process(input) {
        const held = [];
        for await (const one of input) held.push(one);
        yield* held;
      },
    });
    const stage = new TracingStage(late);
    const outputs = await runOn(stage, [text('a', 0), text('b', 1), text('c', 2), text('d', 0)]);
    const { spans } = stage.recorder;
    expect(spans.map(({ turn }) => turn).toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
    for (const one of outputs)
      expect(traceparentOf(one)?.traceId).toBe(
        spans.find(({ turn }) => turn === one.turn)?.traceId,
      );
  });

  it('hands spans to an OpenTelemetry tracer, under the context of their parent', async () => {
    const tracer = fakeTracer();
    const contextOf = vi.fn((traceparent: string) => ({ parent: traceparent }));
    const asked = { ...ask(1), meta: { traceparent: given } };
    const { outputs } = await traced({ tracer, contextOf, operation }, asked);
    expect(tracer.log[0]).toEqual([
      'start',
      'chat some-model',
      {
        kind: 2,
        startTime: 1000,
        attributes: expect.objectContaining({ 'gen_ai.provider.name': 'openai' }),
      },
      { parent: given },
    ]);
    expect(tracer.log).toContainEqual(['gen_ai.usage.output_tokens', 2]);
    expect(tracer.log.at(-1)).toEqual(['end', 1500]);
    expect(tracer.log).not.toContainEqual(['status', expect.anything()]);
    expect(traceparentOf(outputs[0])).toEqual({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) });
  });

  it('passes control on without ids where it has none to give', async () => {
    const outputs = await runOn(new TracingStage(recording('through')), [
      element('interrupt', { turn: 1 }),
      element('turn-end', { turn: 2 }),
    ]);
    expect(traceparentOf(outputs[0])).toBeUndefined();
    expect(traceparentOf(outputs[1])).toBeDefined();
  });
});

describe('TraceRecorder', () => {
  it('exports a Chrome trace: a row per stage, microseconds from the first span', async () => {
    const { spans } = await traced({}, ask(1), ask(2));
    const recorder = new TraceRecorder();
    for (const span of spans) recorder.record(span);
    const { traceEvents, displayTimeUnit } = recorder.toChromeTrace();
    expect(displayTimeUnit).toBe('ms');
    expect(traceEvents).toMatchObject([
      { ph: 'M', name: 'thread_name', tid: 1, args: { name: 'model' } },
      { ph: 'X', name: 'model', tid: 1, ts: 0, dur: 500_000, args: { turn: 1 } },
      { ph: 'X', name: 'model', tid: 1, ts: 500_000, dur: 500_000, args: { turn: 2 } },
    ]);
    expect(new TraceRecorder().toChromeTrace().traceEvents).toEqual([]);
  });

  it('keeps the latest spans only', async () => {
    const recorder = new TraceRecorder(3);
    await traced({ recorder }, ...Array.from({ length: 10 }, (_, index) => ask(index + 1)));
    expect(recorder.spans.map(({ turn }) => turn)).toEqual([8, 9, 10]);
    recorder.clear();
    expect(recorder.spans).toEqual([]);
    expect(() => new TraceRecorder(0)).toThrow(/capacity is 0/);
  });
});

describe('traceparent', () => {
  it('reads what it writes', () => {
    const ids = { traceId: randomId(32), spanId: randomId(16) };
    expect(parseTraceparent(formatTraceparent(ids))).toEqual(ids);
    expect(parseTraceparent(given)?.spanId).toBe('b7ad6b7169203331');
  });

  it.each([
    ['no string', 7],
    ['something else', 'abc'],
    ['version ff', given.replace('00-', 'ff-')],
    ['upper case', given.toUpperCase()],
    ['a trace of zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
    ['a span of zeros', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`],
  ])('refuses %s', (_, value) => {
    expect(parseTraceparent(value)).toBeUndefined();
  });
});
