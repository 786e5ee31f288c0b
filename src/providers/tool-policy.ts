/** What tools may do: permissions, approval and limits, and what is told about it. */
import type { ToolCall, Usage } from '../core/element.ts';
import { AntiphonError } from '../core/errors.ts';
import type { Tool, ToolDefinition, ToolPermission } from './tools.ts';

/** A call that somebody has to allow; its arguments have been checked. */
export interface ToolApprovalRequest {
  readonly call: ToolCall;
  readonly tool: ToolDefinition;
  readonly turn: number;
  /** Identifies the conversation in a state store. */
  readonly conversation: string;
}

/** The answer to a {@link ToolApprovalRequest}. */
export interface ToolApproval {
  readonly allow: boolean;
  /** Told to the model when the call is not allowed. */
  readonly reason?: string;
  /** Holds for all further calls of this tool in this run. Default false. */
  readonly remember?: boolean;
}

/**
 * Asks the person, or whoever decides. Calls of one turn are asked one after the other. `signal` aborts when the turn
 * is interrupted, the run ends or the patience is over: take the question away then. Everything but `true` and
 * `{ allow: true }` is a no: a throw, an answer that comes too late, any other value.
 */
export type ApproveTool = (
  request: ToolApprovalRequest,
  options: { readonly signal: AbortSignal },
) => boolean | ToolApproval | Promise<boolean | ToolApproval>;

/** Permissions and limits of tools; everything has a default. */
export interface ToolPolicy {
  /**
   * By the tool's name, or decided per call. Where it says nothing the tool's own `permission` counts, then
   * `otherwise`. A function that throws, or says something else, denies.
   */
  readonly permissions?:
    | Readonly<Record<string, ToolPermission>>
    | ((call: ToolCall, tool: ToolDefinition) => ToolPermission | undefined);
  /** For tools nothing is said about. Default `allow`. */
  readonly otherwise?: ToolPermission;
  /** Without it, calls that have to be asked for are denied. */
  readonly approve?: ApproveTool;
  /** Patience with `approve`, in ms. Default 30 000. */
  readonly approvalTimeoutMs?: number;
  /** How often a model may be asked in one turn; the calls of the last time are not run. Default 8. */
  readonly maxRounds?: number;
  /** Calls of a turn that run at a time. Default 10. */
  readonly maxParallel?: number;
  /**
   * How often a call may run in a turn with the same arguments. One more is not run, and the model is told; a
   * further one ends the turn with an error. Default 3.
   */
  readonly maxIdenticalCalls?: number;
  /** Rounds in a row in which a tool only failed, before it is taken away for the rest of the turn. Default 2. */
  readonly maxFailures?: number;
  /** Time a tool has unless it says otherwise itself, in ms. Default 30 000. */
  readonly toolTimeoutMs?: number;
  /**
   * Time a turn has from its first question to the model, approvals included, in ms; then running tools are stopped
   * and the model is not asked again. An answer that is streaming is never cut. Default 120 000.
   */
  readonly turnTimeoutMs?: number;
  /** What the calls of the model may cost in a turn before it is not asked again; needs `price`. Default no limit. */
  readonly maxCost?: number;
  /** What a call of the model cost, in the unit of `maxCost`; `provider` is the id of the provider. */
  readonly price?: (usage: Usage, provider: string) => number;
  /** UTF-16 units of a result that the model is shown; the rest is cut off with a note. Default 16 384. */
  readonly maxResultLength?: number;
}

/**
 * How a call ended. `done`: with a result. `failed`: the tool threw, or gave no JSON. `invalid`: its arguments were
 * refused. `unknown`: there is no such tool. `denied`: by policy or by who was asked. `timed-out`, `interrupted`: it was
 * stopped. `repeated`, `excluded`, `over-limit`: it was not run. `running`: interrupted, but allowed to
 * finish; its result comes later. `pending`: it is answered from outside, later.
 */
export type ToolStatus =
  | 'done'
  | 'failed'
  | 'invalid'
  | 'unknown'
  | 'denied'
  | 'timed-out'
  | 'interrupted'
  | 'repeated'
  | 'excluded'
  | 'over-limit'
  | 'running'
  | 'pending';

/** Who a {@link ToolEvent} is about. */
interface AboutCall {
  readonly turn: number;
  readonly callId: string;
  readonly name: string;
}

/** What is told about tools while they run, without arguments and results: those travel as elements. */
export type ToolEvent =
  /** Somebody is being asked. */
  | ({ readonly type: 'tool-approval' } & AboutCall)
  /** They answered, or did not. */
  | ({
      readonly type: 'tool-decision';
      readonly allowed: boolean;
      /** `remembered`: from an earlier answer. `timed-out`, `interrupted`, `failed`, `nobody`: why it is a no. */
      readonly by: 'answer' | 'remembered' | 'timed-out' | 'interrupted' | 'failed' | 'nobody';
    } & AboutCall)
  /** The tool itself begins. */
  | ({ readonly type: 'tool-start' } & AboutCall)
  /** The call is over; `durationMs` of the tool itself, 0 when it did not run. */
  | ({
      readonly type: 'tool-end';
      readonly status: ToolStatus;
      readonly durationMs: number;
    } & AboutCall)
  /** The tool is taken away for the rest of the turn. */
  | { readonly type: 'tool-excluded'; readonly turn: number; readonly name: string };

/** What the policy says about a call; fails closed. */
export function permissionFor(policy: ToolPolicy, call: ToolCall, tool: Tool): ToolPermission {
  const { permissions, otherwise = 'allow' } = policy;
  let said: unknown;
  try {
    if (typeof permissions === 'function') said = permissions(call, tool);
    else if (permissions && Object.hasOwn(permissions, tool.name)) said = permissions[tool.name];
  } catch {
    return 'deny';
  }
  said ??= tool.permission ?? otherwise;
  return said === 'allow' || said === 'ask' ? said : 'deny';
}

/** False for a tool whose every call would be denied: a model that is not shown it does not ask for it. */
export function isOffered({ permissions, otherwise = 'allow' }: ToolPolicy, tool: Tool): boolean {
  if (typeof permissions === 'function') return true;
  const said =
    permissions && Object.hasOwn(permissions, tool.name) ? permissions[tool.name] : undefined;
  return (said ?? tool.permission ?? otherwise) !== 'deny';
}

/**
 * The tools to show to a model, sorted by name, so that prompt caches find them where they were; without those whose
 * every call would be denied. Of two with one name the last wins.
 */
export function offeredTools(policy: ToolPolicy, tools: Iterable<Tool>): ToolDefinition[] {
  const named = new Map([...tools].map((tool) => [tool.name, tool]));
  return [...named.values()]
    .filter((tool) => isOffered(policy, tool))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, description, parameters }) => ({ name, description, parameters }));
}

/** The error of a turn that used up one of its limits; `details.limit` names it. */
export function limitError(limit: keyof ToolPolicy, message: string): AntiphonError {
  return new AntiphonError('tool', message, {
    hint: `Raise \`${limit}\` of the tool policy, or make the results of the tools clearer to the model.`,
    details: { limit },
  });
}
