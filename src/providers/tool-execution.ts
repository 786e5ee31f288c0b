/** One tool at work: until it is done, out of time, or stopped. */
import type { ToolCall } from '../core/element.ts';
import { AntiphonError, toAntiphonError } from '../core/errors.ts';
import type { Clock } from '../core/time.ts';
import { after } from './after.ts';
import { redact } from './http/redact.ts';
import type { ToolStatus } from './tool-policy.ts';
import { frameResult, resultText } from './tool-result.ts';
import { answerLater, type Tool } from './tools.ts';

/** What became of one call. */
export interface ToolOutcome {
  readonly call: ToolCall;
  readonly status: ToolStatus;
  /** The tool's own result, not to be trusted; in words what went wrong, where something did. */
  readonly result: unknown;
  /** True when there is no result and none will come. */
  readonly isError: boolean;
  /** What the model is shown: framed as data and cut to size. */
  readonly text: string;
}

const isError = (status: ToolStatus): boolean =>
  status !== 'done' && status !== 'running' && status !== 'pending';

/** The outcome of a call that gave no result, in words for the model. */
export function withoutResult(call: ToolCall, status: ToolStatus, words: string): ToolOutcome {
  return outcomeOf(call, status, words, Infinity);
}

/** The outcome of a call; `maxLength` bounds what the model is shown, in UTF-16 units. */
export function outcomeOf(
  call: ToolCall,
  status: ToolStatus,
  result: unknown,
  maxLength: number | undefined,
): ToolOutcome {
  const failed = isError(status);
  const text = frameResult(resultText(result), failed, maxLength);
  return { call, status, result, isError: failed, text };
}

/** What an execution needs besides the tool and its call. */
export interface ExecutionOptions {
  readonly turn: number;
  readonly conversation: string;
  readonly timeoutMs: number;
  readonly maxResultLength: number | undefined;
  readonly clock: Clock;
  /** Stops the tool, or lets it go on by itself if it may finish. */
  readonly interrupted: AbortSignal;
  /** Stops the tool in any case: the turn has no time left. */
  readonly deadline: AbortSignal;
  /** Stops the tool in any case: the run is over. */
  readonly closed: AbortSignal;
  readonly stopTurn: () => void;
  /** The outcome of a tool that went on after it was interrupted. */
  readonly onLate: (outcome: ToolOutcome) => void;
}

const runningWords =
  'Still running while the person goes on talking. The result will stand here once it is known.';
const pendingWords = 'Not answered yet. The answer will stand here once it is given.';

/** A failure in words, without what looks like a key: servers like to repeat them. */
export function failureOf(call: ToolCall, error: unknown): ToolOutcome {
  const { message } = toAntiphonError(error, 'tool');
  const wrong = AntiphonError.is(error, 'tool') && error.details?.['problems'] !== undefined;
  return withoutResult(call, wrong ? 'invalid' : 'failed', redact(message, []));
}

/** Runs the tool; never rejects, and settles as soon as it is stopped, however deaf the tool is. */
export function execute(
  tool: Tool,
  call: ToolCall,
  options: ExecutionOptions,
): Promise<ToolOutcome> {
  const { interrupted, deadline, closed, clock, timeoutMs, maxResultLength } = options;
  return new Promise((resolve) => {
    const controller = new AbortController();
    let over = false;
    let detached = false;
    const settle = (outcome: ToolOutcome): void => {
      if (over) return;
      over = true;
      cancel();
      interrupted.removeEventListener('abort', onInterrupted);
      deadline.removeEventListener('abort', onDeadline);
      closed.removeEventListener('abort', onClosed);
      controller.abort();
      if (detached) options.onLate(outcome);
      else resolve(outcome);
    };
    const stop = (status: ToolStatus, words: string): void =>
      settle(withoutResult(call, status, words));
    const onDeadline = (): void =>
      stop('timed-out', 'The turn was out of time before there was a result.');
    const onClosed = (): void => stop('interrupted', 'The conversation ended.');
    const onInterrupted = (): void => {
      if (tool.whenInterrupted !== 'finish' || closed.aborted) {
        stop('interrupted', 'The person interrupted before there was a result.');
        return;
      }
      detached = true;
      resolve(outcomeOf(call, 'running', runningWords, Infinity));
    };
    const cancel = after(clock, timeoutMs, () =>
      stop('timed-out', `${call.name} gave no result in ${timeoutMs / 1000} seconds.`),
    );
    interrupted.addEventListener('abort', onInterrupted, { once: true });
    deadline.addEventListener('abort', onDeadline, { once: true });
    closed.addEventListener('abort', onClosed, { once: true });
    const { turn, conversation, stopTurn } = options;
    const context = { signal: controller.signal, turn, conversation, callId: call.id, stopTurn };
    const work = async (): Promise<ToolOutcome> => {
      const result = await tool.execute(call.arguments, context);
      if (result === answerLater) return outcomeOf(call, 'pending', pendingWords, Infinity);
      return outcomeOf(call, 'done', result ?? null, maxResultLength);
    };
    work().then(settle, (error: unknown) => settle(failureOf(call, error)));
  });
}
