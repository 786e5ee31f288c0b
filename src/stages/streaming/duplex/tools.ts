/** Tools for realtime replies, run under the same policy as those of a text model. */
import { serializeError } from '../../../core/errors.ts';
import type { ToolCall } from '../../../core/element.ts';
import type { Clock } from '../../../core/time.ts';
import { outcomeOf, type ToolOutcome } from '../../../providers/tool-execution.ts';
import { ToolRunner } from '../../../providers/tool-runner.ts';
import type { ToolTurn } from '../../../providers/tool-turn.ts';
import { offeredTools, type ToolPolicy } from '../../../providers/tool-policy.ts';
import type { Tool } from '../../../providers/tools.ts';
import { notPending } from '../../conversation/open-answers.ts';
import type { DuplexToolNews, DuplexTools } from './options.ts';

/** What {@link duplexTools} takes. */
export interface DuplexToolsOptions {
  readonly tools: readonly Tool[];
  readonly policy?: ToolPolicy;
  /** Identifies the conversation in a state store; empty unless given. */
  readonly conversation?: string;
  /** The realm's own unless given. */
  readonly clock?: Clock;
}

/** Tools of a realtime conversation, where they are. */
export interface LocalDuplexTools extends DuplexTools {
  /** Calls that wait for an answer from outside, oldest first. */
  readonly pending: readonly ToolCall[];
  /**
   * Answers one of them, once, by anything JSON can hold.
   *
   * @throws AntiphonError `tool` when it does not wait
   */
  answer(callId: string, result: unknown, options?: { readonly isError?: boolean }): void;
  /** Stops all of them. */
  close(): void;
}

/** Runs tools where they are: on the page, or in the process of a test. Close it with the conversation. */
export function duplexTools(options: DuplexToolsOptions): LocalDuplexTools {
  const { tools, conversation = '', clock, policy = {} } = options;
  const runner = new ToolRunner({
    policy,
    ...(clock === undefined ? {} : { clock }),
  });
  let tell: (news: DuplexToolNews) => void = () => {};
  const pending = new Map<string, { readonly call: ToolCall; readonly turn: number }>();
  const running = new Map<string, ToolCall>();
  const wait = (callId: string, turn: number): void => {
    const call = running.get(callId);
    if (call) pending.set(callId, { call, turn });
  };
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
      emit: (event) => {
        // Known before it is told: an answer can be quick.
        if (event.type === 'tool-end' && event.status === 'pending') wait(event.callId, turn);
        tell(event);
      },
      onLate: (outcome) => tell({ type: 'tool-late', turn, outcome }),
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
      const open: ToolOutcome[] = [];
      for (const call of calls) running.set(call.id, call);
      try {
        for await (const outcome of run.run(calls)) {
          const { call, status, result, text, isError } = outcome;
          if (status === 'pending' || status === 'running') open.push(outcome);
          else results.push({ callId: call.id, name: call.name, result, text, isError });
        }
      } finally {
        signal.removeEventListener('abort', abort);
        for (const { id } of calls) running.delete(id);
      }
      const { failure } = run;
      return {
        results,
        open,
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
    get pending() {
      return [...pending.values()].map(({ call }) => call);
    },
    answer(callId, result, { isError = false } = {}) {
      const waiting = pending.get(callId);
      if (!waiting) throw notPending(callId);
      pending.delete(callId);
      const { call, turn } = waiting;
      const status = isError ? 'failed' : 'done';
      const outcome = outcomeOf(call, status, result ?? null, policy.maxResultLength);
      tell({ type: 'tool-late', turn, outcome });
    },
    close() {
      pending.clear();
      for (const { run } of turns.values()) run.close();
      turns.clear();
      runner.close();
    },
  };
}
