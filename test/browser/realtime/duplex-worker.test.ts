import { describe, expect, it } from 'vitest';
import { commands } from 'vitest/browser';
import { element, textMessage, type StreamElement } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { inWorker, type WorkerStage } from '../../../src/core/stage/remote-stage.ts';
import { geminiLive } from '../../../src/providers/realtime/gemini-live.ts';
import { openAIRealtime } from '../../../src/providers/realtime/openai-realtime.ts';
import type { RealtimeProvider } from '../../../src/providers/realtime/realtime.ts';
import { defineTool } from '../../../src/providers/define-tool.ts';
import { serveDuplexHome } from '../../../src/stages/streaming/duplex/home.ts';
import { duplexTools } from '../../../src/stages/streaming/duplex/tools.ts';
import type { RealtimeReply } from '../../../src/testing/servers/index.ts';
import type { RealtimeVendor } from './commands.ts';

const create = (): Worker =>
  new Worker(new URL('../../../workers/duplex.ts', import.meta.url), { type: 'module' });

const tools = duplexTools({
  tools: [
    defineTool({
      name: 'time',
      description: 'The time.',
      parameters: { properties: {} },
      execute: () => '12:00',
    }),
  ],
});

function providerOf(vendor: RealtimeVendor, url: string, token: () => string): RealtimeProvider {
  const reconnect = { attempts: 1 };
  return vendor === 'openai'
    ? openAIRealtime({ model: 'gpt-realtime-2.1', url, token, reconnect })
    : geminiLive({ model: 'gemini-3.1-flash-live-preview', url, token, reconnect });
}

/** The stage in its worker, the page at the other end of its port. */
function duplexStage(provider: RealtimeProvider): { stage: WorkerStage; end: () => void } {
  const { port1, port2 } = new MessageChannel();
  const end = serveDuplexHome(
    {
      token: () => provider.token?.() ?? '',
      setup: () => Promise.resolve({ system: 'Be brief.', history: [], tools: tools.offered }),
      tools,
    },
    port1,
  );
  const options = { recipe: provider.recipe, home: port2, outputSampleRate: 48_000 };
  return { stage: inWorker(create, 'duplex', options, { type: 'duplex', session: 'safe' }), end };
}

/** One spoken turn, as ears tell it. */
function spokenTurn(turn: number): StreamElement[] {
  const audio = Array.from({ length: 20 }, () =>
    element('audio', { turn, sampleRate: 16_000, samples: new Float32Array(512).fill(0.1) }),
  );
  return [
    element('speech-start', { turn }),
    ...audio,
    element('speech-end', { turn, misfire: false }),
    element('turn-end', { turn }),
  ];
}

const replies: RealtimeReply[] = [
  [{ call: { name: 'time', arguments: {} } }, { say: 'It is noon.', ms: 600 }],
  [{ say: 'It is noon.', ms: 600 }],
];

describe.each([
  ['openai', 'ek_of_this_test_only_12345'],
  ['gemini', 'auth_tokens/of-this-test'],
] as const)('the duplex worker over %s', (vendor, token) => {
  it('holds the session: tokens and tools of the page, speech with its words, no socket left', async () => {
    const url = await commands.startRealtimeServer(
      vendor,
      vendor === 'openai' ? [replies[0]?.slice(0, 1) ?? [], ...replies.slice(1)] : replies,
    );
    let minted = 0;
    const provider = providerOf(vendor, url, () => {
      minted += 1;
      return token;
    });
    const { stage, end } = duplexStage(provider);
    const outputs: StreamElement[] = [];
    for await (const output of new PipelineBuilder().chain(stage).build().execute(spokenTurn(1)))
      outputs.push(output);
    end();
    expect(minted).toBe(1);
    const kinds = outputs.map(({ kind }) => kind).filter((kind) => kind !== 'transcript');
    expect(kinds.filter((kind) => kind !== 'speech' && kind !== 'text')).toEqual([
      'speech-start',
      'speech-end',
      'message',
      'tool-call',
      'tool-result',
      'message',
      'turn-end',
      'end',
    ]);
    const speech = outputs.flatMap((output) => (output.kind === 'speech' ? output : []));
    expect(speech.map(({ text }) => text).join('')).toBe('It is noon.');
    const samples = speech.reduce((sum, piece) => sum + piece.samples.length, 0);
    expect(samples).toBe(0.6 * 48_000);
    expect(await commands.closeRealtimeServer(url)).toEqual([]);
  });

  it('tells why no token can be had, and ends the turn', async () => {
    const url = await commands.startRealtimeServer(vendor, replies);
    const { stage, end } = duplexStage(
      providerOf(vendor, url, () => {
        throw new Error('the token server is down');
      }),
    );
    const message = textMessage('user', 'Hello?');
    const run = new PipelineBuilder()
      .chain(stage)
      .build()
      .execute([element('message', { turn: 1, message }), element('turn-end', { turn: 1 })]);
    const outputs: StreamElement[] = [];
    for await (const output of run) outputs.push(output);
    end();
    const errors = outputs.flatMap((output) => (output.kind === 'error' ? output.error : []));
    expect(errors).toMatchObject([{ code: 'provider-auth', stage: 'duplex' }]);
    expect(outputs.filter(({ kind }) => kind === 'turn-end')).toHaveLength(1);
    expect(await commands.closeRealtimeServer(url)).toEqual([]);
  });

  it('refuses a long-lived key, also in the worker', async () => {
    const url = await commands.startRealtimeServer(vendor, replies);
    const key =
      vendor === 'openai' ? 'sk-proj-0123456789abcdefghij' : 'AIzaSy0123456789abcdefghijklmnop';
    const { stage, end } = duplexStage(providerOf(vendor, url, () => key));
    const run = new PipelineBuilder().chain(stage).build().execute(spokenTurn(1));
    const outputs: StreamElement[] = [];
    for await (const output of run) outputs.push(output);
    end();
    const errors = outputs.flatMap((output) => (output.kind === 'error' ? output.error : []));
    expect(errors).toMatchObject([{ code: 'provider-auth' }]);
    expect(JSON.stringify(errors)).not.toContain(key);
    expect(await commands.closeRealtimeServer(url)).toEqual([]);
  });

  it('closes the socket when the run is aborted in mid-reply', async () => {
    const url = await commands.startRealtimeServer(vendor, [
      [{ say: 'It goes on', ms: 2000 }, { fault: 'stall' }],
    ]);
    const { stage, end } = duplexStage(providerOf(vendor, url, () => token));
    const controller = new AbortController();
    const run = new PipelineBuilder()
      .chain(stage)
      .build()
      .execute(spokenTurn(1), { signal: controller.signal });
    for await (const output of run) if (output.kind === 'speech') break;
    controller.abort();
    await run.close();
    end();
    expect(await commands.closeRealtimeServer(url)).toEqual([]);
  });
});
