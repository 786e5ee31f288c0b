/** The stage of a realtime conversation that holds the session: in a worker where its provider can be posted. */
import type { AudioEdge } from '../audio/audio-edge.ts';
import { duplexWorker } from '../assets.ts';
import { inWorker, type WorkerStage } from '../core/stage/remote-stage.ts';
import type { Stage } from '../core/stage/stage.ts';
import type { RealtimeProvider } from '../providers/realtime/realtime.ts';
import { serveDuplexHome, type DuplexHome } from '../stages/streaming/duplex/home.ts';
import {
  duplexConsumes,
  duplexEmits,
  DuplexProviderStage,
  type DuplexConsumed,
  type DuplexKind,
} from '../stages/streaming/duplex-provider-stage.ts';
import type { VoiceAgentOptions } from './options.ts';

/** The stage, and how to let go of what it has on the page. */
export interface RealtimeStage {
  readonly stage: Stage<DuplexConsumed, DuplexKind>;
  /** The same, where it lives in a worker. */
  readonly worker: WorkerStage<DuplexConsumed, DuplexKind> | undefined;
  readonly close: () => void;
}

/**
 * Makes the stage. `isOpen` tells whether the edge is open, or the stage is only being loaded. A provider without a
 * recipe runs on the page: its audio then passes through the page's thread.
 */
export function realtimeStage(
  provider: RealtimeProvider,
  options: VoiceAgentOptions,
  edge: AudioEdge,
  home: Omit<DuplexHome, 'token'>,
  isOpen: () => boolean,
): RealtimeStage {
  const shared = (): Record<string, unknown> =>
    isOpen()
      ? { floor: edge.floorPort(), outputSampleRate: edge.sampleRate, eager: true, tell: true }
      : {};
  const { recipe, token } = provider;
  if (!recipe || !token) {
    const facts = new DuplexProviderStage({ provider });
    const stage: Stage<DuplexConsumed, DuplexKind> = {
      name: facts.name,
      type: facts.type,
      session: facts.session,
      consumes: facts.consumes,
      emits: facts.emits,
      process: (input, context) =>
        new DuplexProviderStage({ provider, ...home, ...shared() }).process(input, context),
    };
    return { stage, worker: undefined, close: () => {} };
  }
  const served: (() => void)[] = [];
  const { duplex = duplexWorker } = options.workers ?? {};
  const worker = inWorker(
    // A fresh function each: stages made with the same one would share a worker, across agents too.
    () => duplex(),
    'duplex',
    () => {
      const { port1, port2 } = new MessageChannel();
      served.push(serveDuplexHome({ ...home, token }, port1));
      return { recipe, home: port2, ...shared() };
    },
    {
      type: 'duplex',
      session: 'safe',
      keepAlive: true,
      consumes: duplexConsumes,
      emits: duplexEmits,
    },
  );
  return {
    stage: worker,
    worker,
    close: () => {
      for (const end of served.splice(0)) end();
    },
  };
}
