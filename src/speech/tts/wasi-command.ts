/** Runs a WASI command, a program with arguments, standard output and files, wholly in memory. */
import { ConsoleStdout, File, OpenFile, PreopenDirectory, WASI } from '@bjorn3/browser_wasi_shim';
import { nextTask } from './next-task.ts';

/** What a finished command left behind. */
export interface CommandResult {
  /** 0 is success. */
  readonly exitCode: number;
  /** Standard output as text. */
  readonly output: string;
  /** Standard error as text. */
  readonly errorOutput: string;
  /** The file the command wrote; empty when it wrote none. */
  readonly file: Uint8Array;
}

/** The path, for the command's arguments, of {@link CommandResult.file}. */
export const outputPath = '/output';

type Prepared = (args: readonly string[]) => CommandResult;

/**
 * Runs one command again and again. A WASI command runs once per instance, so each run has one of its own,
 * which is garbage afterwards. Making one takes about as long as saying a word (its memory is filled), so
 * `spares` of them are made ahead, in tasks of their own behind a run.
 */
export class CommandRunner {
  readonly #module: WebAssembly.Module;
  readonly #spares: number;
  #ready: Prepared[] = [];
  #filling = false;

  /** @param module a WASI preview 1 command: exports `memory` and `_start` */
  constructor(module: WebAssembly.Module, spares: number) {
    this.#module = module;
    this.#spares = spares;
  }

  /** Runs with `args`, the program's name first, to its end. Throws what WebAssembly throws on a trap. */
  async run(args: readonly string[]): Promise<CommandResult> {
    const run = this.#ready.pop() ?? (await prepare(this.#module));
    try {
      return run(args);
    } finally {
      void this.#fill();
    }
  }

  /** Never rejects: a run that finds no spare makes its own, and meets the trouble itself. */
  async #fill(): Promise<void> {
    if (this.#filling) return;
    this.#filling = true;
    try {
      while (this.#ready.length < this.#spares) {
        await nextTask();
        this.#ready.push(await prepare(this.#module));
      }
    } catch {
      this.#ready = [];
    } finally {
      this.#filling = false;
    }
  }
}

async function prepare(module: WebAssembly.Module): Promise<Prepared> {
  const file = new File(new Uint8Array(0));
  const output = textSink();
  const errorOutput = textSink();
  const wasi = new WASI(
    [],
    [],
    [
      new OpenFile(new File(new Uint8Array(0))),
      output.stream,
      errorOutput.stream,
      new PreopenDirectory('/', new Map([[outputPath.slice(1), file]])),
    ],
    { debug: false },
  );
  const imports = wasi.wasiImport as WebAssembly.ModuleImports;
  const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: imports });
  return (args) => {
    wasi.args = [...args];
    const exitCode = wasi.start(instance as Parameters<WASI['start']>[0]);
    return { exitCode, output: output.text(), errorOutput: errorOutput.text(), file: file.data };
  };
}

function textSink(): { readonly stream: ConsoleStdout; text(): string } {
  const decoder = new TextDecoder();
  let text = '';
  const stream = new ConsoleStdout((bytes) => {
    text += decoder.decode(bytes, { stream: true });
  });
  return { stream, text: () => text + decoder.decode() };
}
