/** A checked pipeline, ready to run any number of times. */
import { within } from '../abortable.ts';
import { messageText, type Message, type StreamElement, type Usage } from '../element.ts';
import { AntiphonError, type ErrorData } from '../errors.ts';
import type { ResolvedConfig } from './config.ts';
import { toMermaid, type Graph } from './graph.ts';
import { graphOf, type Plan } from './plan.ts';
import type { RunInput } from './input-stage.ts';
import { PipelineRun, type RunOptions } from './run.ts';

/** When an execution began and ended, ms on the pipeline's clock. */
export interface ExecutionTrace {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly durationMs: number;
}

/** What `executeSync` collects. */
export interface ExecutionResult {
  /** Every element the leaves emitted. */
  readonly outputs: readonly StreamElement[];
  /** The messages among them. */
  readonly messages: readonly Message[];
  /** The last message of the assistant; of history (`meta.fromHistory`) none is. */
  readonly response?: Message;
  /** The text of the response; empty without one. */
  readonly text: string;
  readonly trace: ExecutionTrace;
  /** Summed over the assistant's messages of this execution. */
  readonly usage: Required<Usage>;
  /** The last `error` element, if there was one; a failed run rejects instead. */
  readonly error?: ErrorData;
}

/** Made by `PipelineBuilder.build()`. Executions are independent of each other. */
export class Pipeline {
  /** The pipeline as plain data. */
  readonly graph: Graph;
  /** What it was built for. */
  readonly session: 'live' | 'unary';
  readonly #plan: Plan;
  readonly #config: ResolvedConfig;
  readonly #runs = new Set<PipelineRun>();
  #shutdown: Promise<void> | undefined;

  constructor(plan: Plan, config: ResolvedConfig) {
    this.#plan = plan;
    this.#config = config;
    this.graph = graphOf(plan);
    this.session = config.session;
  }

  /** The graph as a Mermaid flowchart. */
  toMermaid(): string {
    return toMermaid(this.graph);
  }

  /**
   * Starts a run that feeds `input` to every root that is not a source. Throws `shutdown` after `shutdown()`.
   */
  execute(input: RunInput = [], options: RunOptions = {}): PipelineRun {
    if (this.#shutdown)
      throw new AntiphonError('shutdown', 'the pipeline has been shut down', {
        hint: 'Build another one.',
      });
    const run = new PipelineRun(this.#plan, this.#config, input, options);
    this.#runs.add(run);
    const forget = (): void => void this.#runs.delete(run);
    run.done.then(forget, forget);
    return run;
  }

  /** Runs to the end on `elements` and collects what comes out; rejects when the run fails. */
  async executeSync(...elements: readonly StreamElement[]): Promise<ExecutionResult> {
    const startedAtMs = this.#config.clock.now();
    const outputs: StreamElement[] = [];
    const run = this.execute(elements);
    for await (const output of run) outputs.push(output);
    await run.done;
    const endedAtMs = this.#config.clock.now();
    const trace = { startedAtMs, endedAtMs, durationMs: endedAtMs - startedAtMs };
    return resultOf(outputs, trace);
  }

  /**
   * Cancels every execution, waits until all are torn down, and disposes the stages. Afterwards `execute`
   * throws. Rejects with `shutdown-timeout` when a stage takes longer than `shutdownTimeoutMs`.
   */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#end();
    return this.#shutdown;
  }

  async #end(): Promise<void> {
    const reason = new AntiphonError('shutdown', 'the pipeline was shut down');
    const runs = [...this.#runs];
    for (const run of runs) run.fail(reason);
    const { shutdownTimeoutMs } = this.#config;
    const dispose = async (): Promise<void> => {
      await Promise.allSettled(runs.map((run) => run.done));
      await Promise.all(this.#plan.stages.map(async (stage) => stage.dispose?.()));
    };
    if (await within(dispose(), shutdownTimeoutMs)) return;
    const hint = 'A stage ignores its signal, or set shutdownTimeoutMs.';
    const message = `stages were still busy after ${shutdownTimeoutMs} ms`;
    throw new AntiphonError('shutdown-timeout', message, { hint });
  }
}

function resultOf(outputs: readonly StreamElement[], trace: ExecutionTrace): ExecutionResult {
  const messages: Message[] = [];
  let response: Message | undefined;
  let error: ErrorData | undefined;
  let inputTokens = 0;
  let outputTokens = 0;
  for (const output of outputs) {
    if (output.kind === 'error') error = output.error;
    if (output.kind !== 'message') continue;
    const { message, meta } = output;
    messages.push(message);
    if (message.role !== 'assistant' || meta?.['fromHistory'] === true) continue;
    response = message;
    inputTokens += message.usage?.inputTokens ?? 0;
    outputTokens += message.usage?.outputTokens ?? 0;
  }
  return {
    outputs,
    messages,
    ...(response === undefined ? {} : { response }),
    text: response === undefined ? '' : messageText(response),
    trace,
    usage: { inputTokens, outputTokens },
    ...(error === undefined ? {} : { error }),
  };
}
