/** A conversation with tools over real sockets, cut or interrupted at every frame: what its history is then. */
import { afterEach, describe, expect, it } from 'vitest';
import { element, messageText, type StreamElement } from '../../../src/core/element.ts';
import { anthropic } from '../../../src/providers/anthropic.ts';
import { gemini } from '../../../src/providers/gemini.ts';
import { openAICompatible } from '../../../src/providers/openai-compatible.ts';
import { openAIResponses } from '../../../src/providers/openai-responses.ts';
import { defineTool } from '../../../src/providers/define-tool.ts';
import { ProviderStage } from '../../../src/stages/conversation/provider-stage.ts';
import { testContext } from '../../../src/testing/index.ts';
import {
  eventStream,
  type LoopbackServer,
  type RecordedRequest,
  type Reply,
  type ReplyStep,
  type SpokenReply,
} from '../../../src/testing/servers/index.ts';
import { framesOf, startVendorServer } from '../../providers/scenario-server.ts';
import { vendors, type Vendor } from '../../providers/scenario.ts';
import { collect, feed, turnEnd, user } from './helpers.ts';

const make = { chat: openAICompatible, responses: openAIResponses, anthropic, gemini };

const servers: LoopbackServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const look = defineTool({
  name: 'look',
  description: 'Looks.',
  parameters: { type: 'object' },
  execute: () => 'RESULT',
});

type Moment = 'call' | 'answer';

/** What the model says in the second turn. */
const secondTurn: Readonly<Record<Moment, SpokenReply>> = {
  call: {
    text: ['Let me ', 'see.'],
    calls: [
      { name: 'look', arguments: { at: 'this' } },
      { name: 'look', arguments: { at: 'that' } },
    ],
  },
  answer: { text: ['Answer ', 'two.'] },
};

/** What the model says to a request, and which part of the second turn it is. */
function said(request: RecordedRequest): {
  readonly spoken: SpokenReply;
  readonly moment?: Moment;
} {
  const body = JSON.stringify(request.body);
  const asked = [...body.matchAll(/question (\w+)/g)].at(-1)?.[1];
  if (asked !== 'two') return { spoken: { text: ['Answer ', `${asked}.`] } };
  const moment = body.includes('RESULT') ? 'answer' : 'call';
  return { spoken: secondTurn[moment], moment };
}

const count = (text: string, words: string): number => text.split(words).length - 1;

/** Three turns; in the second one `steps` stand once instead of the frames from `frame` on. */
async function converse(
  vendor: Vendor,
  moment: Moment,
  frame: number,
  steps: readonly ReplyStep[],
): Promise<void> {
  let due = true;
  const reply = (request: RecordedRequest): Reply => {
    const { spoken, moment: now } = said(request);
    const frames = framesOf(vendor, spoken);
    if (now !== moment || !due) return eventStream(...frames);
    due = false;
    return eventStream(...frames.slice(0, frame), ...steps);
  };
  const server = await startVendorServer(vendor, { replies: [reply] });
  servers.push(server);
  const provider = make[vendor]({
    baseURL: server.baseURL,
    model: 'm',
    retry: { attempts: 2, baseDelayMs: 0 },
  });
  const input = feed();
  const context = testContext();
  const outputs = collect(new ProviderStage({ provider, tools: [look] }).process(input, context));
  const turns = (): number => outputs.all.filter(({ kind }) => kind === 'turn-end').length;
  const turnOver = async (turn: number): Promise<void> => {
    while (turns() < turn) await outputs.until(outputs.all.length + 1);
  };
  input.push(user('question one'), turnEnd());
  await turnOver(1);
  input.push(user('question two', 2), turnEnd(2));
  const interrupted = server.gates.reached('here').then(() => {
    context.interrupt(2);
    input.push(element('interrupt', { turn: 2 }));
  });
  await turnOver(2);
  input.push(user('question three', 3), turnEnd(3));
  input.end();
  await outputs.done;
  void interrupted;

  const ofTurn = (turn: number): StreamElement[] =>
    outputs.all.filter((item) => item.turn === turn);
  for (const turn of [1, 2, 3]) {
    const deltas = ofTurn(turn).map((item) => (item.kind === 'text' ? item.text : ''));
    const replies = ofTurn(turn).flatMap((item) =>
      item.kind === 'message' && item.message.role === 'assistant' ? [item.message] : [],
    );
    expect(replies.length).toBeLessThanOrEqual(1);
    expect(replies.map(messageText).join('')).toBe(deltas.join(''));
  }
  const last = JSON.stringify(server.requests.at(-1)?.body);
  expect(['one', 'two', 'three'].map((word) => count(last, `question ${word}`))).toEqual([1, 1, 1]);
  expect(count(last, 'Answer one.')).toBe(1);
  expect(count(last, 'Let me')).toBeLessThanOrEqual(1);
  expect(
    messageText(
      ofTurn(3)
        .flatMap((item) => (item.kind === 'message' ? [item.message] : []))
        .at(-1)!,
    ),
  ).toBe('Answer three.');
  // The server saw no call without a result, no result without a call, and nothing else amiss.
  expect(server.violations).toEqual([]);
  await server.idle();
}

describe.each(vendors)('a conversation over %s', (vendor) => {
  it.each(['call', 'answer'] as const)(
    'whose connection drops at any frame of the %s stays whole',
    async (moment) => {
      for (const frame of framesOf(vendor, secondTurn[moment]).keys())
        await converse(vendor, moment, frame, [{ head: true }, { fault: 'drop' }]);
    },
  );

  it.each(['call', 'answer'] as const)(
    'that is interrupted at any frame of the %s stays whole',
    async (moment) => {
      for (const frame of framesOf(vendor, secondTurn[moment]).keys())
        await converse(vendor, moment, frame, [
          { head: true },
          { gate: 'here' },
          { fault: 'stall' },
        ]);
    },
  );
});
