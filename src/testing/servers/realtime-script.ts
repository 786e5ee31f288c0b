/** What a realtime protocol server does in one reply, step by step: plain data. */
import type { Gates } from './gates.ts';
import { pcm16Base64 } from './pcm-bytes.ts';

/**
 * A step. `say` speaks: `text` as its transcript, `samples` (24 kHz) or that many `ms` of a tone as its audio, both in
 * deltas, text first. `call` asks for a tool. `gate` waits until the test opens it. `event` sends one event as it is,
 * `frame` a whole frame, JSON or not. Faults: `drop` cuts the connection, `close` closes it with a code, `stall` sends
 * nothing more.
 */
export type RealtimeStep =
  | { readonly say: string; readonly samples?: Float32Array; readonly ms?: number }
  | { readonly call: { readonly name: string; readonly arguments: unknown; readonly id?: string } }
  | { readonly gate: string }
  | { readonly event: Readonly<Record<string, unknown>> }
  | { readonly frame: string }
  | { readonly fault: 'drop' | 'stall' }
  | { readonly fault: 'close'; readonly code: number; readonly reason?: string };

/** One reply; it ends by itself when its steps are done. */
export type RealtimeReply = readonly RealtimeStep[];

/** What becomes of the transcript of an utterance. */
export type ScriptedTranscript =
  /** All of it, in fragments and as a whole. */
  | string
  /** Waits at a gate first. */
  | { readonly text: string; readonly gate: string }
  /** It fails, or never comes. */
  | { readonly fault: 'fail' | 'never' };

/** Rate of the speech the servers give, in hertz. */
export const spokenRate = 24_000;

/** Longest delta of speech, in samples. */
const deltaSamples = 2400;

/** A tone whose level rises and falls like syllables, so that it can be told from silence. */
export function tone(ms: number): Float32Array {
  const samples = new Float32Array(Math.round((ms * spokenRate) / 1000));
  for (let index = 0; index < samples.length; index += 1) {
    const seconds = index / spokenRate;
    const syllable = 0.6 + 0.4 * Math.sin(2 * Math.PI * 4 * seconds);
    samples[index] = 0.3 * syllable * Math.sin(2 * Math.PI * 220 * seconds);
  }
  return samples;
}

/** The deltas of a `say` step: words of its text and pieces of its audio (base64 PCM16), text ahead. */
export function deltasOf(step: Extract<RealtimeStep, { say: string }>): {
  readonly texts: readonly string[];
  readonly audio: readonly { readonly base64: string; readonly samples: number }[];
} {
  const samples = step.samples ?? tone(step.ms ?? 60 * step.say.length);
  const audio: { base64: string; samples: number }[] = [];
  for (let at = 0; at < samples.length; at += deltaSamples) {
    const piece = samples.subarray(at, at + deltaSamples);
    audio.push({ base64: pcm16Base64(piece), samples: piece.length });
  }
  return { texts: step.say.match(/\S+\s*/g) ?? [], audio };
}

/** Waits at a step's gate; false when the reply was given up meanwhile. */
export async function passGate(gates: Gates, name: string, over: AbortSignal): Promise<boolean> {
  if (over.aborted) return false;
  await Promise.race([
    gates.pass(name),
    new Promise<void>((resolve) => over.addEventListener('abort', () => resolve(), { once: true })),
  ]);
  return !over.aborted;
}

/** Of pages and workers it is the timer, of Node what comes behind all that came in. */
const soon: (act: () => void) => unknown = globalThis.setImmediate ?? globalThis.setTimeout;

/** Lets what was sent go out, and what the client sent come in. */
export function breath(): Promise<void> {
  return new Promise((resolve) => soon(resolve));
}
