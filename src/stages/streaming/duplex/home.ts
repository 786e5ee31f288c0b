/**
 * What a `DuplexProviderStage` in a worker asks of the page: tokens, the prompt and the past, tools. Functions can't
 * be posted, so the page answers at a port; nothing of it is audio.
 */
import { expose, proxy, releaseProxy, wrap, type Remote } from 'comlink';
import type { ToolCall } from '../../../core/element.ts';
import { deserializeError, serializeError, type ErrorData } from '../../../core/errors.ts';
import { currentToken } from '../../../providers/http/credentials.ts';
import type { RealtimeToken } from '../../../providers/realtime/realtime.ts';
import type {
  DuplexSetup,
  DuplexToolNews,
  DuplexToolOptions,
  DuplexToolRound,
  DuplexTools,
} from './options.ts';

/** What the page has. */
export interface DuplexHome {
  readonly token: RealtimeToken;
  readonly setup: () => Promise<DuplexSetup>;
  readonly tools: DuplexTools;
}

const never = new AbortController().signal;

type Answer<T> = { readonly value: T } | { readonly error: ErrorData };

interface HomeApi {
  token(): Promise<Answer<string>>;
  setup(): Promise<Answer<DuplexSetup>>;
  run(
    id: number,
    turn: number,
    calls: readonly ToolCall[],
    facts: Omit<DuplexToolOptions, 'signal'>,
  ): Promise<Answer<DuplexToolRound>>;
  stop(id: number): void;
  end(turn: number): void;
  listen(listener: (news: DuplexToolNews) => void): void;
}

/** A listener of the worker: it answers when it has heard. */
type ToolListener = Remote<(news: DuplexToolNews) => void>;

async function answerOf<T>(ask: () => T | Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    return { error: serializeError(error) };
  }
}

function valueOf<T>(answer: Answer<T>): T {
  if ('error' in answer) throw deserializeError(answer.error);
  return answer.value;
}

/** Answers at `port` for the page; the returned function ends it. */
export function serveDuplexHome(home: DuplexHome, port: MessagePort): () => void {
  const running = new Map<number, AbortController>();
  let listener: ToolListener | undefined;
  let told: Promise<void> = Promise.resolve();
  const api: HomeApi = {
    // What its function throws becomes a `provider-auth` here, where it still is what it was.
    token: () => answerOf(() => currentToken(home, never)),
    setup: () => answerOf(home.setup),
    run: (id, turn, calls, facts) =>
      answerOf(async () => {
        const stop = new AbortController();
        running.set(id, stop);
        try {
          return await home.tools.run(turn, calls, { ...facts, signal: stop.signal });
        } finally {
          // Events and answers take different ports: what was told of the calls is heard before their results.
          await told;
          running.delete(id);
        }
      }),
    stop: (id) => running.get(id)?.abort(),
    end: (turn) => home.tools.end(turn),
    listen(remote) {
      listener = remote as ToolListener;
      home.tools.listen?.((news) => {
        told = listener ? listener(news) : told;
      });
    },
  };
  expose(api, port);
  return () => {
    for (const stop of running.values()) stop.abort();
    listener?.[releaseProxy]();
    listener = undefined;
    port.close();
  };
}

/** The page as the worker sees it. */
export function duplexHome(port: MessagePort): DuplexHome {
  const remote: Remote<HomeApi> = wrap<HomeApi>(port);
  let runs = 0;
  return {
    token: async () => valueOf(await remote.token()),
    setup: async () => valueOf(await remote.setup()),
    tools: {
      offered: [],
      async run(turn, calls, { signal, ...facts }) {
        const id = (runs += 1);
        const stop = (): void => void remote.stop(id);
        signal.addEventListener('abort', stop, { once: true });
        try {
          return valueOf(await remote.run(id, turn, calls, facts));
        } finally {
          signal.removeEventListener('abort', stop);
        }
      },
      end: (turn) => void remote.end(turn),
      listen: (listener) => void remote.listen(proxy(listener)),
    },
  };
}
