/** The parts of a voice agent's pipeline that live in workers. */
import type { AudioEdge } from '../audio/audio-edge.ts';
import {
  earsWorker,
  fliteWasmUrl,
  recogniserUrls,
  scribeWorker,
  sileroModelUrl,
  voiceWorker,
} from '../assets.ts';
import { inWorker, type WorkerStage } from '../core/stage/remote-stage.ts';
import type { AgentVoiceOptions, VoiceAgentOptions } from './options.ts';

/** The direct ports between ears, scribe, page and playback; absent while the models are only loaded. */
export interface FloorPorts {
  /** Ears ↔ playback. */
  readonly floor: MessagePort;
  /** Scribe → ears, the ears' end; absent where nobody writes down what is said. */
  readonly wordsIn?: MessagePort;
  /** Scribe → ears, the scribe's end. */
  readonly wordsOut?: MessagePort;
  /** Page → ears. */
  readonly control: MessagePort;
}

/** The three stages that live in workers. */
export interface WorkerStages {
  readonly ears: WorkerStage<
    'audio',
    'audio' | 'utterance' | 'interrupt' | 'speech-start' | 'speech-end' | 'turn-end'
  >;
  readonly scribe: WorkerStage<'audio' | 'utterance', 'transcript' | 'message'>;
  readonly voice: WorkerStage<'text' | 'message', 'speech'>;
}

/** Makes the worker stages; their workers start with the first run and stay until `close()`. */
export function workerStages(
  options: VoiceAgentOptions,
  edge: AudioEdge,
  ports: () => FloorPorts | undefined,
): WorkerStages {
  const { hearing = {}, recogniser = { engine: 'ctc' }, voice = {}, workers = {} } = options;
  const wasm = options.wasmPaths === undefined ? {} : { wasmPaths: options.wasmPaths };
  const ears = workers.ears ?? earsWorker;
  const scribe = workers.scribe ?? scribeWorker;
  const speaking = workers.voice ?? voiceWorker;
  const { model: silero = sileroModelUrl(), ...turnTaking } = hearing;
  return {
    // A fresh function each: stages made with the same one would share a worker, across agents too.
    ears: inWorker(
      () => ears(),
      'ears',
      () => {
        const open = ports();
        const direct = open && {
          floor: open.floor,
          control: open.control,
          ...(open.wordsIn === undefined ? {} : { words: open.wordsIn }),
        };
        return { ...turnTaking, ...wasm, modelUrl: String(silero), levels: true, ...direct };
      },
      {
        type: 'accumulate',
        session: 'safe',
        keepAlive: true,
        consumes: ['audio'],
        emits: ['audio', 'utterance', 'interrupt', 'speech-start', 'speech-end', 'turn-end'],
      },
    ),
    scribe: inWorker(
      () => scribe(),
      'scribe',
      () => {
        const words = ports()?.wordsOut;
        return { ...recogniserOptions(recogniser), ...wasm, ...(words ? { words } : {}) };
      },
      {
        type: 'transform',
        session: 'safe',
        keepAlive: true,
        consumes: ['audio', 'utterance'],
        emits: ['transcript', 'message'],
      },
    ),
    voice: inWorker(
      () => speaking(),
      'voice',
      () => ({
        ...voiceOptions(voice),
        // Closed while the voice is only loaded: then its own rate will do.
        ...(edge.sampleRate === 0 ? {} : { outputSampleRate: edge.sampleRate }),
      }),
      {
        type: 'transform',
        session: 'safe',
        keepAlive: true,
        consumes: ['text', 'message'],
        emits: ['speech'],
      },
    ),
  };
}

function voiceOptions(voice: AgentVoiceOptions): Record<string, unknown> {
  if ('remote' in voice) return { remote: voice.remote };
  const { wasm = fliteWasmUrl(), ...flavour } = voice;
  return { flite: { ...flavour, wasmUrl: String(wasm) } };
}

function recogniserOptions(
  recogniser: NonNullable<VoiceAgentOptions['recogniser']>,
): Record<string, unknown> {
  if (recogniser.engine !== 'ctc') return { ...recogniser };
  const { model } = recogniser;
  if (model !== undefined) return { engine: 'ctc', model: String(model) };
  const urls = Object.entries(recogniserUrls()).map(([file, url]) => [file, String(url)]);
  return { engine: 'ctc', model: Object.fromEntries(urls) };
}
