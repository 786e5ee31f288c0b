/** What a scripted server is told by the shared suite: plain data, so that it can come from a page. */
import type { RecordedRequest, Reply, SpokenReply } from '../../src/testing/servers/index.ts';

/** The protocols the suite runs over. */
export const vendors = ['chat', 'responses', 'anthropic', 'gemini'] as const;
export type Vendor = (typeof vendors)[number];

/** One reply. */
export type Scenario =
  | {
      readonly spoken: SpokenReply;
      /** A gate `g0`, `g1` … before each frame. */
      readonly gated?: boolean;
      /** A gate `t0`, `t1` … before the frame with each piece of the text. */
      readonly gatedText?: boolean;
      /** A fault instead of this frame and those behind it. */
      readonly fault?: { readonly frame: number; readonly kind: 'drop' | 'reset' | 'stall' };
      /** Every byte its own chunk. */
      readonly bytewise?: boolean;
      /** The vendor's error, inside the stream, instead of this frame and those behind it. */
      readonly error?: {
        readonly frame: number;
        readonly status: number;
        readonly message: string;
      };
    }
  | {
      readonly status: number;
      readonly message: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly raw: Reply };

/** What can be told of a request from afar. */
export type SeenRequest = Pick<RecordedRequest, 'method' | 'path' | 'headers' | 'body'>;

/** A running server, in this process or behind Vitest's commands. */
export interface RemoteServer {
  readonly baseURL: string;
  open(gate: string): Promise<void>;
  reached(gate: string): Promise<void>;
  /** Resolves when no socket is in use. */
  idle(): Promise<void>;
  requests(): Promise<readonly SeenRequest[]>;
  /** How request number `index` ended. */
  ended(index: number): Promise<'complete' | 'cut'>;
  violations(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Starts a server. */
export type StartServer = (vendor: Vendor, scenarios: readonly Scenario[]) => Promise<RemoteServer>;
