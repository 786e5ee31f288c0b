/** The stages of the realm suites by name: made from plain options, so that a page can ask a worker for them. */
import { element, messageText } from '../../src/core/element.ts';
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import {
  accumulate,
  defineStage,
  generate,
  sink,
  transform,
} from '../../src/core/stage/define-stage.ts';
import type { Stage } from '../../src/core/stage/stage.ts';
import { offlineAssistant } from '../../src/providers/offline-assistant.ts';
import { PromptAssemblyStage } from '../../src/stages/conversation/prompt-assembly-stage.ts';
import { ProviderStage } from '../../src/stages/conversation/provider-stage.ts';
import { StateStoreLoadStage } from '../../src/stages/conversation/state-store-load-stage.ts';
import { StateStoreSaveStage } from '../../src/stages/conversation/state-store-save-stage.ts';
import { TemplateStage } from '../../src/stages/conversation/template-stage.ts';
import { ValidationStage } from '../../src/stages/conversation/validation-stage.ts';
import { bannedWords } from '../../src/stages/conversation/validators.ts';
import { compete } from '../../src/stages/flow/compete.ts';
import { filter, map, passthrough } from '../../src/stages/flow/compose.ts';
import { MergeStage } from '../../src/stages/flow/merge-stage.ts';
import { MetricsStage } from '../../src/stages/flow/metrics-stage.ts';
import { pipelineStage } from '../../src/stages/flow/pipeline-stage.ts';
import { RouterStage } from '../../src/stages/flow/router-stage.ts';
import { roundRobin } from '../../src/stages/flow/routing.ts';
import { stageFrom } from '../../src/stages/flow/stage-from.ts';
import { TracingStage } from '../../src/stages/flow/tracing-stage.ts';
import { AudioTurnStage } from '../../src/stages/streaming/audio-turn-stage.ts';
import { DuplexProviderStage } from '../../src/stages/streaming/duplex-provider-stage.ts';
import { speakerTracks } from '../../src/stages/streaming/speaker-tracks.ts';
import { STTStage } from '../../src/stages/streaming/stt-stage.ts';
import { TTSStage } from '../../src/stages/streaming/tts-stage.ts';
import { TTSStageWithInterruption } from '../../src/stages/streaming/tts-stage-with-interruption.ts';
import { VADAccumulatorStage } from '../../src/stages/streaming/vad-accumulator-stage.ts';
import { ContextBuilderStage } from '../../src/stages/utility/context-builder-stage.ts';
import { DebugStage } from '../../src/stages/utility/debug-stage.ts';
import { MediaExternalizerStage } from '../../src/stages/utility/media-externalizer-stage.ts';
import {
  RateLimitStage,
  type RateLimitOptions,
} from '../../src/stages/utility/rate-limit-stage.ts';
import { TapStage } from '../../src/stages/utility/tap-stage.ts';
import { VariableProviderStage } from '../../src/stages/utility/variable-provider-stage.ts';
import { scriptedRecognizer, type RecognitionStep } from '../../src/testing/scripted-recognizer.ts';
import { scriptedSynthesizer } from '../../src/testing/scripted-synthesizer.ts';
import { scriptedVad } from '../../src/testing/scripted-vad.ts';
import { echoRealtime } from './echo-realtime.ts';
import { mediaStoreNamed, stateStoreNamed } from './stores.ts';

const shout = (name: string, suffix = '!'): Stage<'text', 'text'> =>
  transform({
    name,
    consumes: ['text'],
    emits: ['text'],
    process: (one) => ({ ...one, text: one.text + suffix }),
  });

/** Tells which realm it is in. */
const where = generate({
  name: 'where',
  emits: ['text'],
  async *generate() {
    const isWorker = 'WorkerGlobalScope' in globalThis;
    const own = 'document' in globalThis ? 'page' : 'node';
    yield element('text', { text: isWorker ? 'worker' : own, delta: false });
  },
});

/** Says that it waits, and waits until its turn is interrupted; turns above 1 it lets through. */
const patient = transform({
  name: 'patient',
  consumes: ['message'],
  emits: ['message', 'transcript'],
  async *process(one, context) {
    if (one.turn === 1) {
      const signal = context.turnSignal(one.turn);
      const interrupted = new Promise((resolve) => signal.addEventListener('abort', resolve));
      yield element('transcript', { text: 'waiting', final: false, turn: one.turn });
      await interrupted;
      context.emit('interrupted', { turn: one.turn });
    }
    yield one;
  },
});

const ears = (script: readonly RecognitionStep[]): readonly Stage[] => [
  new AudioTurnStage({ vad: scriptedVad() }),
  new STTStage({ recognizer: scriptedRecognizer(script, { interims: 'none' }) }),
];

/** Factories by name. Their options survive structured clone. */
export const stages = {
  where: () => where,
  passthrough: () => passthrough('passthrough'),
  filter: ({ atLeast }: { atLeast: number }) =>
    filter('filter', (one) => one.kind !== 'transcript' || (one.confidence ?? 1) >= atLeast),
  map: ({ fails = false }: { fails?: boolean }) =>
    map('map', 'text', async (one) => {
      await Promise.resolve();
      if (fails) throw new Error('no idea');
      return { ...one, text: one.text.toUpperCase() };
    }),
  transform: ({ suffix }: { suffix: string }) => shout('transform', suffix),
  accumulate: () =>
    accumulate({
      name: 'accumulate',
      consumes: ['text'],
      emits: ['text'],
      until: ['turn-end'],
      *flush(held) {
        yield element('text', { text: held.map(({ text }) => text).join('+'), delta: false });
      },
    }),
  generate: ({ count }: { count: number }) =>
    generate({
      name: 'generate',
      emits: ['audio'],
      async *generate() {
        for (let at = 0; at < count; at += 1)
          yield element('audio', { samples: Float32Array.of(at), sampleRate: 16_000, at });
      },
    }),
  sink: () =>
    sink({
      name: 'sink',
      consumes: ['text'],
      take: (one, context) => context.emit('taken', one.text),
    }),
  defineStage: () =>
    defineStage({
      name: 'defineStage',
      type: 'transform',
      consumes: ['text'],
      emits: ['text'],
      async *process(input) {
        let count = 0;
        for await (const one of input) {
          count += 1;
          yield { ...one, text: `${count}:${one.text}` };
        }
        yield element('text', { text: `${count} in all`, delta: false });
      },
    }),
  patient: () => patient,
  stageFrom: () =>
    stageFrom(
      { name: 'stageFrom', consumes: ['text'], emits: ['text'] },
      () =>
        new TransformStream({
          transform(one, controller) {
            controller.enqueue({ ...one, text: `<${one.text}>` });
          },
        }),
    ),
  merge: () => new MergeStage(),
  router: () =>
    pipelineStage(
      'router',
      new PipelineBuilder()
        .add(new RouterStage({ routes: ['a', 'b'], routing: roundRobin() }))
        .add(shout('a', ' by a'))
        .add(shout('b', ' by b'))
        .add(new MergeStage())
        .branch('router', 'a', 'b')
        .connect('a', 'merge')
        .connect('b', 'merge')
        .build(),
    ),
  pipelineStage: () =>
    pipelineStage('pipelineStage', new PipelineBuilder().chain(shout('one'), shout('two')).build()),
  compete: ({ order }: { order: 'kept' | 'free' }) =>
    compete('compete', [shout('one'), shout('two'), shout('three')], { order }),
  metrics: () => new MetricsStage(shout('metrics'), { reportEveryMs: 0 }),
  tracing: () => new TracingStage(shout('tracing')),
  debug: ({ fails = false }: { fails?: boolean }) => {
    const log = (): void => {
      if (fails) throw new Error('no log');
    };
    return new DebugStage({ label: 'realms', logger: { debug: log, info: log, warn: log } });
  },
  rateLimit: (options: RateLimitOptions) => new RateLimitStage(options),
  tap: ({ drop }: { drop: ['error'] | [] }) => new TapStage('tap', () => undefined, { drop }),
  validation: ({ banned }: { banned: string[] }) =>
    new ValidationStage({ output: [bannedWords(banned)] }),
  mediaExternalizer: ({ store, maxInlineBytes }: { store: string; maxInlineBytes: number }) =>
    new MediaExternalizerStage({ store: mediaStoreNamed(store), maxInlineBytes }),
  stateStoreSave: ({ store, conversation }: { store: string; conversation: string }) =>
    new StateStoreSaveStage({ store: stateStoreNamed(store), conversation }),
  /** The stages that share turn states: they go together, as one. */
  conversation: ({ store, conversation }: { store: string; conversation: string }) => {
    const states = stateStoreNamed(store);
    return pipelineStage(
      'conversation',
      new PipelineBuilder({ session: 'live' })
        .chain(
          new StateStoreLoadStage({ store: states, conversation }),
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
          new StateStoreSaveStage({ store: states }),
        )
        .build(),
    );
  },
  /** A model that needs no network, behind the provider stage alone. */
  provider: () => new ProviderStage({ provider: offlineAssistant() }),
  audioTurn: () => new AudioTurnStage({ vad: scriptedVad() }),
  vadAccumulator: ({ script }: { script: RecognitionStep[] }) =>
    new VADAccumulatorStage({
      vad: scriptedVad(),
      recognizer: scriptedRecognizer(script, { interims: 'none' }),
    }),
  stt: ({ script }: { script: RecognitionStep[] }) =>
    new STTStage({ recognizer: scriptedRecognizer(script, { interims: 'none' }) }),
  tts: () => new TTSStage({ synthesizer: scriptedSynthesizer() }),
  ttsWithInterruption: () => new TTSStageWithInterruption({ synthesizer: scriptedSynthesizer() }),
  duplex: () => new DuplexProviderStage({ provider: echoRealtime() }),
  speakerTracks: ({ scripts }: { scripts: Record<string, RecognitionStep[]> }) =>
    speakerTracks(
      Object.fromEntries(
        Object.entries(scripts).map(([label, script]) => [label, { stages: ears(script) }]),
      ),
    ),
} satisfies Record<string, (options: never) => Stage>;

/** A key of {@link stages}. */
export type StageName = keyof typeof stages;
