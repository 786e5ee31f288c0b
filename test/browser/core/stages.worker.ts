/** A worker that hosts the stages of the remote-stage tests. */
import { element, messageText } from '../../../src/core/element.ts';
import { AntiphonError } from '../../../src/core/errors.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { defineStage, generate, transform } from '../../../src/core/stage/define-stage.ts';
import { hostStages } from '../../../src/core/stage/stage-host.ts';
import type { Stage } from '../../../src/core/stage/stage.ts';
import { ProviderStage } from '../../../src/stages/conversation/provider-stage.ts';
import { PromptAssemblyStage } from '../../../src/stages/conversation/prompt-assembly-stage.ts';
import { StateStoreLoadStage } from '../../../src/stages/conversation/state-store-load-stage.ts';
import { StateStoreSaveStage } from '../../../src/stages/conversation/state-store-save-stage.ts';
import { TemplateStage } from '../../../src/stages/conversation/template-stage.ts';
import { pipelineStage } from '../../../src/stages/flow/pipeline-stage.ts';
import { ContextBuilderStage } from '../../../src/stages/utility/context-builder-stage.ts';
import { VariableProviderStage } from '../../../src/stages/utility/variable-provider-stage.ts';
import { indexedDBStore } from '../../../src/state/indexeddb-store.ts';

let made = 0;

const tag = ({ suffix }: { suffix: string }): Stage =>
  transform({
    name: 'tag',
    consumes: ['text'],
    emits: ['text'],
    prepare: (context) => {
      context.emit('loading', { loaded: 1, total: 2 });
      return Promise.resolve();
    },
    process: (one) => ({ ...one, text: `${one.text}${suffix}` }),
  });

hostStages({
  tag,
  /** Emits `count` numbered texts, then ends. */
  count: ({ count }: { count: number }) =>
    generate({
      name: 'count',
      emits: ['audio'],
      async *generate() {
        for (let at = 1; at <= count; at += 1)
          yield element('audio', { samples: Float32Array.of(at), sampleRate: 16_000, at });
      },
    }),
  /** Counts as fast as time passes: one element every `everyMs`, stamped with the shared clock. */
  ticks: ({ count, everyMs }: { count: number; everyMs: number }) =>
    generate({
      name: 'ticks',
      emits: ['text'],
      async *generate(context) {
        for (let tick = 0; tick < count; tick += 1) {
          await new Promise((resolve) => setTimeout(resolve, everyMs));
          yield element('text', { text: '', delta: false, at: context.clock.now() });
        }
      },
    }),
  /** Notes when each element arrived, and sends one summary at the end. */
  arrivals: () =>
    defineStage({
      name: 'arrivals',
      type: 'accumulate',
      consumes: ['text'],
      emits: ['text'],
      async *process(input, context) {
        const all: { sentAtMs: number; arrivedAtMs: number }[] = [];
        for await (const one of input)
          all.push({ sentAtMs: one.at, arrivedAtMs: context.clock.now() });
        yield element('text', { text: JSON.stringify(all), delta: false });
      },
    }),
  /** Adds up what arrives on the port it was given, and passes elements through. */
  listener: ({ nested }: { nested: { port: MessagePort } }) =>
    defineStage({
      name: 'listener',
      type: 'transform',
      consumes: ['text'],
      emits: ['text'],
      async *process(input) {
        let heard = '';
        nested.port.onmessage = (event: MessageEvent<string>) => {
          heard += event.data;
          nested.port.postMessage('heard');
        };
        for await (const one of input) yield { ...one, text: `${one.text}:${heard}` };
      },
    }),
  /** Waits until its turn is interrupted. */
  patient: () =>
    transform({
      name: 'patient',
      consumes: ['text'],
      emits: ['text'],
      async process(one, context) {
        if (one.turn > 1) return one;
        const signal = context.turnSignal(one.turn);
        context.emit('waiting');
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        context.emit('interrupted');
        return { ...one, text: 'too late' };
      },
    }),
  /** Throws a typed error on the first text. */
  throws: () =>
    transform({
      name: 'throws',
      consumes: ['text'],
      emits: [],
      process: () => {
        throw new AntiphonError('model-run', 'it does not run', { hint: 'Use another.' });
      },
    }),
  /** Rejects while it prepares. */
  unprepared: () => ({
    ...tag({ suffix: '' }),
    prepare: () =>
      Promise.reject(new AntiphonError('model-load', 'no model', { hint: 'Get one.' })),
  }),
  /** Kills the worker from outside of any promise. */
  crashes: () =>
    transform({
      name: 'crashes',
      consumes: ['text'],
      emits: [],
      process: async () => {
        setTimeout(() => {
          throw new Error('out of the blue');
        });
        await new Promise(() => {});
      },
    }),
  /** The stages that share turn states: they go together, as one. */
  conversation: ({ database, conversation }: { database: string; conversation: string }) => {
    const store = indexedDBStore({ name: database });
    return pipelineStage(
      'conversation',
      new PipelineBuilder({ session: 'live' })
        .chain(
          new StateStoreLoadStage({ store, conversation }),
          new VariableProviderStage({ variables: { shop: 'Kiosk' } }),
          new PromptAssemblyStage({
            prompts: { chat: { system: 'You work at {{shop}}.' } },
            task: 'chat',
          }),
          new TemplateStage(),
          new ContextBuilderStage({ maxTokens: 10_000 }),
          new ProviderStage({
            provider: {
              id: 'echo',
              async *stream({ system, messages }) {
                const said = messages.map(messageText).join(' | ');
                yield { type: 'text-delta', text: `${system} I heard: ${said}` };
                yield { type: 'finish', reason: 'stop' };
              },
            },
          }),
          new StateStoreSaveStage({ store }),
        )
        .build(),
    );
  },
  /** Never gives the thread back. */
  spins: () =>
    transform({
      name: 'spins',
      consumes: ['text'],
      emits: [],
      process: (_, context) => {
        context.emit('spinning');
        for (;;);
      },
    }),
  /** Says how many of it this worker has made, and reports its disposal. */
  serial: () => {
    const number = (made += 1);
    return {
      ...transform({
        name: 'serial',
        consumes: ['text'],
        emits: ['text'],
        process: (one) => ({ ...one, text: String(number) }),
      }),
      prepare: (context) => {
        context.emit('made', number);
        return Promise.resolve();
      },
    } satisfies Stage;
  },
});
