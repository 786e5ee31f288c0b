/** Tools for realtime replies, run under the same policy as those of a text model. */
import { serializeError } from '../../../core/errors.ts';
import type { Clock } from '../../../core/time.ts';
import { ToolRunner } from '../../../providers/tool-runner.ts';
import type { ToolTurn } from '../../../providers/tool-turn.ts';
import { offeredTools, type ToolEvent, type ToolPolicy } from '../../../providers/tool-policy.ts';
import type { Tool } from '../../../providers/tools.ts';
import type { DuplexTools } from './options.ts';

/** What {@link duplexTools} takes. */
export interface DuplexToolsOptions {
  readonly tools: readonly Tool[];
  readonly policy?: ToolPolicy;
  /** Identifies the conversation in a state store; empty unless given. */
  readonly conversation?: string;
  /** The realm's own unless given. */
  readonly clock?: Clock;
}

/**
 * Runs tools where they are: on the page, or in the process of a test. A call can't stay open for an answer from
 * outside: a tool that gives `answerLater` fails. Close it with the conversation.
 */
export function duplexTools(
  options: DuplexToolsOptions,
): DuplexTools & { readonly close: () => void } {
  const { tools, conversation = '', clock, policy = {} } = options;
  const runner = new ToolRunner({
    policy,
    ...(clock === undefined ? {} : { clock }),
  });
  let tell: (event: ToolEvent) => void = () => {};
  const turns = new Map<number, { readonly run: ToolTurn; readonly stop: AbortController }>();
  const turnOf = (turn: number): { readonly run: ToolTurn; readonly stop: AbortController } => {
    const known = turns.get(turn);
    if (known) return known;
    const stop = new AbortController();
    const run = runner.turn({
      tools,
      turn,
      conversation,
      signal: stop.signal,
      emit: (event) => tell(event),
      answersLater: false,
    });
    turns.set(turn, { run, stop });
    return { run, stop };
  };
  return {
    offered: offeredTools(policy, tools),
    async run(turn, calls, { signal, usage, provider }) {
      const { run, stop } = turnOf(turn);
      if (usage) run.spend(usage, provider);
      const abort = (): void => stop.abort();
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      const results = [];
      try {
        for await (const { call, result, text, isError } of run.run(calls))
          results.push({ callId: call.id, name: call.name, result, text, isError });
      } finally {
        signal.removeEventListener('abort', abort);
      }
      const { failure } = run;
      return {
        results,
        goOn: !run.stopped && !failure,
        ...(failure ? { error: serializeError(failure) } : {}),
      };
    },
    end(turn) {
      turns.get(turn)?.run.close();
      turns.delete(turn);
    },
    listen(listener) {
      tell = listener;
    },
    close() {
      for (const { run } of turns.values()) run.close();
      turns.clear();
      runner.close();
    },
  };
}
