/** Engines whose work time waits for, and whose answers come a given audio time later. */
import { sleep, type Clock } from '../../core/time.ts';
import type { Provider, ProviderPart } from '../../providers/provider.ts';
import type { Tool } from '../../providers/tools.ts';
import type { Recognizer } from '../../speech/stt/recognizer.ts';
import type { Synthesizer } from '../../speech/tts/synthesizer.ts';
import type { VoiceActivityDetector } from '../../speech/vad/voice-activity.ts';
import { isScripted } from '../script.ts';
import type { Work } from './work.ts';

/** Audio time that engines take, in ms; 0 unless given. */
export interface Latencies {
  /** From an utterance to its transcript. */
  readonly recognizerMs?: number;
  /** From a request to its first part. */
  readonly providerMs?: number;
  /** From a sentence to its speech. */
  readonly synthesizerMs?: number;
}

/** What makes engines keep audio time. */
export interface Timing {
  readonly work: Work;
  readonly clock: Clock;
  readonly latency: Latencies;
}

const never = new AbortController().signal;

/** `target`, each of whose promises counts as work; engines of this package that follow a script don't. */
export function tracked<T extends object>(what: string, target: T, work: Work): T {
  if (isScripted(target)) return target;
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]): unknown => {
        const result: unknown = Reflect.apply(value, object, given);
        if (!(result instanceof Promise)) return result;
        return work.track(`${what}.${String(key)}()`, () => result);
      };
    },
  });
}

/** A detector; its judgement takes no audio time. */
export function timedVad(vad: VoiceActivityDetector, { work }: Timing): VoiceActivityDetector {
  return tracked('vad', vad, work);
}

/** A recogniser. */
export function timedRecognizer(recognizer: Recognizer, timing: Timing): Recognizer {
  const { work, clock, latency } = timing;
  const engine = tracked('recognizer', recognizer, work);
  const stream = recognizer.stream?.bind(recognizer);
  return {
    sampleRate: recognizer.sampleRate,
    load: (onProgress, signal) => engine.load(onProgress, signal),
    async transcribe(samples, options = {}) {
      const heard = await engine.transcribe(samples, options);
      await pass(clock, latency.recognizerMs, options.signal);
      return heard;
    },
    ...(stream === undefined
      ? {}
      : {
          stream: () =>
            isScripted(recognizer) ? stream() : tracked('recognizer.stream()', stream(), work),
        }),
    dispose: () => engine.dispose(),
  };
}

/** A voice. */
export function timedSynthesizer(synthesizer: Synthesizer, timing: Timing): Synthesizer {
  const { work, clock, latency } = timing;
  const engine = tracked('synthesizer', synthesizer, work);
  return {
    load: (onProgress, signal) => engine.load(onProgress, signal),
    async synthesize(text, options = {}) {
      const speech = await engine.synthesize(text, options);
      await pass(clock, latency.synthesizerMs, options.signal);
      return speech;
    },
    dispose: () => engine.dispose(),
  };
}

/** A model, with the tools it brings along. */
export function timedProvider(provider: Provider, timing: Timing): Provider {
  const { work, clock, latency } = timing;
  return {
    id: provider.id,
    ...(provider.tools === undefined
      ? {}
      : { tools: provider.tools.map((tool) => timedTool(tool, timing)) }),
    async *stream(request, options): AsyncGenerator<ProviderPart, void, undefined> {
      const parts = provider.stream(request, options)[Symbol.asyncIterator]();
      const next = isScripted(provider)
        ? () => parts.next()
        : () => work.track(`provider ${provider.id}`, () => parts.next());
      try {
        let result = await next();
        await pass(clock, latency.providerMs, options.signal);
        for (; !result.done; result = await next()) yield result.value;
      } finally {
        await parts.return?.();
      }
    },
  };
}

/** A tool; its work takes no audio time, unless it is a scripted one. */
export function timedTool(tool: Tool, { work }: Timing): Tool {
  if (isScripted(tool)) return tool;
  return {
    ...tool,
    execute: (given, context) =>
      work.track(`tool ${tool.name}`, () => tool.execute(given, context)),
  };
}

async function pass(
  clock: Clock,
  ms: number | undefined,
  signal: AbortSignal = never,
): Promise<void> {
  if (ms !== undefined && ms > 0) await sleep(clock, ms, signal);
}
