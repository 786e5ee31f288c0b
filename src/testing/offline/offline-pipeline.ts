/** The pipeline of an offline conversation: the agent's recipe, or the caller's, over devices that are stood in for. */
import { conversationPipeline, type ConversationEnds } from '../../agent/conversation.ts';
import type { FloorCommand } from '../../audio/floor.ts';
import type { Kind, StreamElement } from '../../core/element.ts';
import type { Pipeline } from '../../core/pipeline/pipeline.ts';
import { processRemotely } from '../../core/stage/remote-stage.ts';
import type { RemoteStage, Stage } from '../../core/stage/stage.ts';
import type { Provider } from '../../providers/provider.ts';
import { ProviderStage } from '../../stages/conversation/provider-stage.ts';
import { AudioTurnStage } from '../../stages/streaming/audio-turn-stage.ts';
import { MicrophoneStage } from '../../stages/streaming/microphone-stage.ts';
import { SpeakerStage } from '../../stages/streaming/speaker-stage.ts';
import { STTStage } from '../../stages/streaming/stt-stage.ts';
import { TTSStageWithInterruption } from '../../stages/streaming/tts-stage-with-interruption.ts';
import { TapStage } from '../../stages/utility/tap-stage.ts';
import { memoryStore } from '../../state/memory-store.ts';
import type { FakeClock } from '../fake-clock.ts';
import { levelVad } from '../scripted-vad.ts';
import type { ToneLanguage } from '../tone-language.ts';
import type { OfflineEdge } from './offline-edge.ts';
import type { OfflineOptions } from './offline-options.ts';
import { simulatedChannel } from './simulated-port.ts';
import {
  timedProvider,
  timedRecognizer,
  timedSynthesizer,
  timedTool,
  timedVad,
  tracked,
  type Latencies,
} from './timed-engines.ts';
import type { Work } from './work.ts';

/** What the pipeline is made of. */
export interface OfflineMeans {
  readonly options: OfflineOptions;
  readonly clock: FakeClock;
  readonly work: Work;
  readonly edge: OfflineEdge;
  readonly language: ToneLanguage;
  /** Looks at what the person says and does. */
  readonly onUser: (element: StreamElement) => void;
  /** Looks at the reply as it is generated. */
  readonly onReply: (element: StreamElement) => void;
  /** Calls of an earlier turn were answered. */
  readonly onResume: () => void;
  /** The ears' end of the port that tells of taken turn numbers. */
  readonly control: MessagePort;
  /** Looks at what ears tell playback. */
  readonly onFloor: (command: FloorCommand) => void;
}

/** A pipeline, and the stage that thinks in it. */
export interface OfflinePipeline {
  readonly pipeline: Pipeline;
  readonly provider: ProviderStage;
}

/** Builds it. */
export function offlinePipeline(means: OfflineMeans): OfflinePipeline {
  const { options, work, clock, onUser, onReply, onResume } = means;
  const { provider, state = memoryStore(), conversation = 'offline', latency = {} } = options;
  const timing = { work, clock, latency };
  const tools = (options.tools ?? []).map((tool) => timedTool(tool, timing));
  const mind = (): Provider =>
    timedProvider(typeof provider === 'function' ? provider() : provider, timing);
  const ends = offlineEnds(means, timing.latency);
  if (!options.pipeline) {
    const parts = {
      options: { ...options, tools },
      conversation,
      store: tracked('state', state, work),
      provider: mind,
      onUser,
      onReply,
      onResume,
    };
    return conversationPipeline(parts, ends, { clock });
  }
  const stage = new ProviderStage({ provider: mind, tools, resume: onResume });
  const pipeline = options.pipeline({
    ...ends,
    clock,
    provider: stage,
    onUser: new TapStage('user', onUser, { drop: ['error'] }),
    onReply: new TapStage('reply', onReply, {
      drop: ['transcript', 'tool-result'],
    }),
    hold: (what, task) => work.track(what, task),
  });
  return { pipeline, provider: stage };
}

function offlineEnds(means: OfflineMeans, latency: Latencies): ConversationEnds {
  const { options, work, clock, edge, language } = means;
  const { vad, recognizer, synthesizer, hearing, turnDetector } = options;
  const timing = { work, clock, latency };
  const words = simulatedChannel(work.touch);
  return {
    microphone: onThisThread(new MicrophoneStage(edge), work),
    ears: new AudioTurnStage({
      ...hearing,
      name: 'ears',
      vad: timedVad(vad ?? levelVad(), timing),
      floor: edge.floorPort(means.onFloor),
      words: words.port1,
      control: means.control,
      ...(turnDetector === undefined
        ? {}
        : { turnDetector: tracked('turnDetector', turnDetector, work) }),
    }),
    scribe: new STTStage({
      name: 'scribe',
      recognizer: timedRecognizer(recognizer ?? language.recognizer, timing),
      words: words.port2,
      // What is tried again is tried at times that do not depend on chance.
      retry: { random: () => 1 },
    }),
    voice: new TTSStageWithInterruption({
      name: 'voice',
      synthesizer: timedSynthesizer(synthesizer ?? language.synthesizer, timing),
      outputSampleRate: edge.sampleRate,
    }),
    speaker: onThisThread(new SpeakerStage(edge), work),
  };
}

/** A stage of a device on this thread, over ports that keep audio time. */
function onThisThread<Consumes extends Kind, Emits extends Kind>(
  stage: RemoteStage<Consumes, Emits>,
  work: Work,
): Stage<Consumes, Emits> {
  const { name, type, consumes, emits, session, format, source } = stage;
  return {
    name,
    type,
    consumes,
    emits,
    ...(session === undefined ? {} : { session }),
    ...(format === undefined ? {} : { format }),
    ...(source === undefined ? {} : { source }),
    process: (input, context) =>
      processRemotely(stage, input, context, () => simulatedChannel(work.touch)),
  };
}
