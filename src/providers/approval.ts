/** Has a call allowed by somebody, and takes everything but a clear yes for a no. */
import type { ToolCall } from '../core/element.ts';
import type { Clock } from '../core/time.ts';
import { abortable } from './abort.ts';
import { after } from './after.ts';
import type { ToolApproval, ToolApprovalRequest, ToolEvent, ToolPolicy } from './tool-policy.ts';

/** What became of a question. */
export interface Decision {
  readonly allowed: boolean;
  readonly by: Extract<ToolEvent, { type: 'tool-decision' }>['by'];
  /** What the model is told of a no. */
  readonly reason: string;
}

const no = (by: Decision['by'], reason: string): Decision => ({ allowed: false, by, reason });

/** Yeses and noes that hold for a run. */
export class Approvals {
  readonly #policy: ToolPolicy;
  readonly #clock: Clock;
  readonly #remembered = new Map<string, Decision>();

  constructor(policy: ToolPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** The answer given for all calls of this tool, if one was. */
  remembered({ name }: ToolCall): Decision | undefined {
    return this.#remembered.get(name);
  }

  /** Asks. Never rejects; settles as soon as `signal` aborts or the patience is over. */
  async ask(request: ToolApprovalRequest, signal: AbortSignal): Promise<Decision> {
    const { approve, approvalTimeoutMs = 30_000 } = this.#policy;
    if (!approve) return no('nobody', 'Nobody is there who could allow this call.');
    const controller = new AbortController();
    let tooLate = false;
    const cancel = after(this.#clock, approvalTimeoutMs, () => {
      tooLate = true;
      controller.abort();
    });
    const onAbort = (): void => controller.abort();
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const asked = (async () => approve(request, { signal: controller.signal }))();
      return this.#read(request.call, await abortable(asked, controller.signal));
    } catch {
      if (signal.aborted) return no('interrupted', 'The person interrupted before it was allowed.');
      return tooLate
        ? no('timed-out', 'Nobody allowed this call in time.')
        : no('failed', 'This call could not be allowed.');
    } finally {
      cancel();
      signal.removeEventListener('abort', onAbort);
      // A question that is answered elsewhere must not stay on the screen.
      controller.abort();
    }
  }

  #read({ name }: ToolCall, answer: unknown): Decision {
    const { allow, reason, remember } = (
      typeof answer === 'object' && answer !== null ? answer : { allow: answer }
    ) as Partial<ToolApproval>;
    const why = typeof reason === 'string' && reason !== '' ? `: ${reason}` : '.';
    const decision: Decision =
      allow === true
        ? { allowed: true, by: 'answer', reason: '' }
        : no('answer', `The person did not allow this call${why}`);
    if (remember === true) this.#remembered.set(name, { ...decision, by: 'remembered' });
    return decision;
  }
}
