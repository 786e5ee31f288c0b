/** Elements and the state of a turn: §14.1. */
import { expect } from 'vitest';
import { isControl, isInterruptible, type StreamElement } from '../../src/core/element.ts';
import { element, textMessage } from '../../src/core/element.ts';
import { serializeError } from '../../src/core/errors.ts';
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import { cloneElement } from '../../src/core/port/transferables.ts';
import type { TurnState } from '../../src/core/stage/stage.ts';
import { PriorityChannel } from '../../src/stages/flow/priority-channel.ts';
import { recording } from '../unit/flow/graphs.ts';
import { probe, tag, text } from '../unit/core/pipeline/helpers.ts';
import { once } from './play.ts';
import { differs, same, type Area } from './row.ts';

const audio = element('audio', { samples: Float32Array.of(1, 2), sampleRate: 16_000, turn: 3 });
const failure = serializeError(new Error('no'));

/** One of each kind. */
const everyKind: readonly StreamElement[] = [
  audio,
  element('utterance', { samples: audio.samples, sampleRate: 1, speechStart: 0, speechEnd: 1 }),
  element('transcript', { text: 'a', final: true }),
  element('text', { text: 'a', delta: true }),
  element('message', { message: textMessage('user', 'a') }),
  element('tool-call', { call: { id: '1', name: 'n', arguments: { a: [1] } } }),
  element('tool-result', { callId: '1', name: 'n', result: { a: 1 }, isError: false }),
  element('speech', { samples: audio.samples, sampleRate: 1, text: 'a', last: true }),
  element('media', { mediaType: 'image/png', data: Uint8Array.of(1) }),
  element('error', { error: failure }),
  element('speech-start', {}),
  element('speech-end', { misfire: false }),
  element('turn-end', {}),
  element('interrupt', { turn: 1 }),
  element('end', {}),
];

const kindsWhere = (test: (element: StreamElement) => boolean): string[] =>
  everyKind.filter((one) => test(one)).map(({ kind }) => kind);

/** The elements of §14.1. */
export const elementsArea: Area = {
  title: 'Elements and turns',
  rows: [
    same(
      'elements.control',
      '§14.1',
      'Exactly `speech-start`, `speech-end`, `turn-end`, `interrupt` and `end` are control; nothing with content is.',
      () =>
        expect(kindsWhere(isControl)).toEqual([
          'speech-start',
          'speech-end',
          'turn-end',
          'interrupt',
          'end',
        ]),
    ),
    differs(
      'elements.error-is-content',
      '§14.1 IsControl',
      'An `error` element is content: a route or an edge may take it alone, and it stops nothing.',
      'In the seed it counts as control and its session layer ended the whole session on the first one (§12.9).',
      async () => {
        const error = element('error', { error: failure });
        expect(isControl(error)).toBe(false);
        const outputs = await once([tag('a')], [error, text('x')]);
        expect(outputs.map(({ kind }) => kind)).toEqual(['error', 'text']);
      },
    ),
    differs(
      'elements.literal',
      '§2.1, §14.1 constructors',
      'A literal is as good as an element from the factory: without a priority it counts as `normal`.',
      'In the seed a literal has priority Low, and its voice stages all build literals.',
      () => {
        const queue = new PriorityChannel();
        queue.offer({ ...text('low'), priority: 'low' });
        queue.offer({ kind: 'text', text: 'literal', delta: false, turn: 0, at: 0, source: '' });
        queue.offer(element('text', { text: 'made', delta: false }));
        const order = [queue.poll(), queue.poll(), queue.poll()];
        expect(order.map((one) => one?.kind === 'text' && one.text)).toEqual([
          'literal',
          'made',
          'low',
        ]);
      },
    ),
    same(
      'elements.voided',
      '§14.1, §15 rule 2',
      'An interrupt voids text to be said, speech to be played and tools to be run; never what people said, messages, errors or control.',
      () => expect(kindsWhere(isInterruptible)).toEqual(['text', 'tool-call', 'speech']),
    ),
    same(
      'elements.plain',
      '§2.1',
      'An element of any kind survives structured clone unchanged, so that it means the same in every realm.',
      () => {
        for (const one of everyKind) expect(structuredClone(one)).toEqual(one);
      },
    ),
    differs(
      'elements.buffers',
      '§2.1 pointers are shared',
      'Two branches never share a buffer.',
      'The seed copies the element and shares what it points to, so one branch changes what another reads.',
      async () => {
        const [left, right] = [recording('left'), recording('right')];
        const pipeline = new PipelineBuilder()
          .add(tag('in'))
          .add(left)
          .add(right)
          .branch('in', 'left', 'right')
          .build();
        await pipeline.executeSync(cloneElement(audio));
        const buffers = [left, right].map(({ seen }) => {
          const [first] = seen;
          return first?.kind === 'audio' ? first.samples.buffer : undefined;
        });
        expect(buffers[0]).toBeDefined();
        expect(buffers[0]).not.toBe(buffers[1]);
      },
    ),
    same(
      'elements.source',
      '§2.1 Source',
      'What a stage makes carries the stage’s name; what it passes on keeps the name it came with.',
      async () => {
        const outputs = await once(
          [tag('a'), tag('b')],
          [text('x'), { ...text('y'), source: 'me' }],
        );
        expect(outputs.map(({ source }) => source)).toEqual(['a', 'me']);
      },
    ),
    same(
      'turns.state',
      '§14.1 TurnState, #1035',
      'What stages share about a turn is one object per turn and run: written upstream, read downstream, never copied onto elements.',
      async () => {
        const states = new Map<string, TurnState[]>();
        const writer = probe('writer', async function* (input, context) {
          for await (const one of input) {
            context.turn(one.turn).systemPrompt = `for ${one.turn}`;
            yield one;
          }
        });
        const reader = probe('reader', async function* (input, context) {
          for await (const one of input) {
            const state = context.turn(one.turn);
            expect(state.systemPrompt).toBe(`for ${one.turn}`);
            const known = states.get(String(one.meta?.['run'])) ?? [];
            states.set(String(one.meta?.['run']), [...known, state]);
            yield one;
          }
        });
        const pipeline = new PipelineBuilder().chain(writer.stage, reader.stage).build();
        const inputs = (run: string): StreamElement[] =>
          [1, 1, 2].map((turn) => ({ ...text('x', turn), meta: { run } }));
        const results = await Promise.all(
          ['a', 'b'].map((run) => pipeline.executeSync(...inputs(run))),
        );
        const [a, b] = [states.get('a') ?? [], states.get('b') ?? []];
        expect(a[0]).toBe(a[1]);
        expect(new Set([...a, ...b]).size).toBe(4);
        for (const { outputs } of results)
          for (const { meta, kind } of outputs)
            if (kind !== 'end') expect(Object.keys(meta ?? {})).toEqual(['run']);
      },
    ),
    same(
      'turns.bounded',
      '§12.2',
      'The state of turns long past is forgotten, so that a session may last for ever.',
      async () => {
        const states = new Set<TurnState>();
        const stage = probe('turns', async function* (input, context) {
          for await (const one of input) {
            states.add(context.turn(one.turn));
            yield one;
          }
          expect(states.has(context.turn(300))).toBe(true);
          expect(states.has(context.turn(1))).toBe(false);
        });
        await once(
          [stage.stage],
          Array.from({ length: 300 }, (_, turn) => text('x', turn + 1)),
        );
      },
    ),
  ],
};
