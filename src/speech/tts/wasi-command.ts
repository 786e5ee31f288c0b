/** Runs a WASI command, a program with arguments, standard output and files, wholly in memory. */
import { ConsoleStdout, File, OpenFile, PreopenDirectory, WASI } from '@bjorn3/browser_wasi_shim';

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

/**
 * Runs `module` (WASI preview 1, exports `_start`) with `args`, the program's name first, to its end.
 * A command runs once per instance, so each run has an instance of its own, which is garbage afterwards.
 * Throws what WebAssembly throws on a trap.
 */
export async function runCommand(
  module: WebAssembly.Module,
  args: readonly string[],
): Promise<CommandResult> {
  const file = new File(new Uint8Array(0));
  const output = textSink();
  const errorOutput = textSink();
  const wasi = new WASI(
    [...args],
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
  const exitCode = wasi.start(instance as Parameters<WASI['start']>[0]);
  return { exitCode, output: output.text(), errorOutput: errorOutput.text(), file: file.data };
}

function textSink(): { readonly stream: ConsoleStdout; text(): string } {
  const decoder = new TextDecoder();
  let text = '';
  const stream = new ConsoleStdout((bytes) => {
    text += decoder.decode(bytes, { stream: true });
  });
  return { stream, text: () => text + decoder.decode() };
}
