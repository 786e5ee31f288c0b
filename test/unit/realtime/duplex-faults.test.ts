import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { element, textMessage } from '../../../src/core/element.ts';
import type { DuplexTools } from '../../../src/stages/streaming/duplex/options.ts';
import type { RealtimeProvider } from '../../../src/providers/realtime/realtime.ts';
import type { RealtimeReply, ScriptedTranscript } from '../../../src/testing/servers/index.ts';
import { fakeClock, settle } from '../../../src/testing/index.ts';
import { gemini, geminiServer, openAI, openAIServer } from './rig.ts';
import { Talk } from './talk.ts';

/** A busy machine may take its time. */
const patiently = { timeout: 20_000 };

afterEach(() => {
  vi.useRealTimers();
});

const errors = (talk: Talk): string[] =>
  talk.outputs.flatMap((output) => (output.kind === 'error' ? output.error.code : []));

describe('DuplexProviderStage with the server’s turns', () => {
  it('numbers them, and cuts the reply when the server hears somebody', async () => {
    const server = await openAIServer({
      transcripts: ['Count.', 'Stop it.'],
      replies: [[{ say: 'One two three four five.', ms: 3000 }], [{ say: 'Sorry.', ms: 200 }]],
    });
    const talk = new Talk(openAI(server, { turnDetection: 'server' }));
    talk.stream(400);
    const peer = await server.session(1);
    await expect.poll(() => peer.pendingSamples, patiently).toBeGreaterThan(9000);
    peer.startSpeech();
    peer.stopSpeech();
    await talk.event('first-audio');
    // Rendering may be faster than speech arrives: only what sounded counts.
    const soundedMs = (): number =>
      talk.speaker.played.filter((sample) => Math.abs(sample) > 0.001).length / 48;
    while (soundedMs() < 700) await talk.speaker.render(20);
    talk.stream(200);
    peer.startSpeech();
    await talk.event('truncated');
    await talk.speaker.render(50);
    talk.speaker.start();
    peer.stopSpeech();
    await talk.turnOver(2);
    const item = peer.conversation.items.find(({ samples }) => samples > 0);
    expect(item?.truncatedAtMs).toBeGreaterThan(600);
    expect(item?.truncatedAtMs).toBeLessThan(900);
    expect(talk.outputs.map(({ kind, turn }) => `${kind} ${turn}`)).toEqual(
      expect.arrayContaining(['speech-start 1', 'speech-end 1', 'interrupt 1', 'speech-start 2']),
    );
    expect(talk.messages.filter((line) => line.includes('user'))).toEqual([
      '1 user: Count.',
      '2 user: Stop it.',
    ]);
    expect(talk.messages.at(-1)).toBe('2 assistant: Sorry.');
    expect(peer.received).not.toContain('response.cancel');
  });
});

describe('tools of a realtime reply', () => {
  const calling: RealtimeReply[] = [
    [
      { say: 'Let me see.', ms: 200 },
      { call: { id: 'c1', name: 'time', arguments: { zone: 'UTC' } } },
    ],
    [{ say: 'It is noon.', ms: 200 }],
  ];

  it('are run, told in order, and answered', async () => {
    const server = await openAIServer({ replies: calling });
    const tools: DuplexTools = {
      offered: [],
      run: (_turn, calls) =>
        Promise.resolve({
          goOn: true,
          results: calls.map(({ id, name }) => ({
            callId: id,
            name,
            result: { time: '12:00' },
            text: '{"time":"12:00"}',
            isError: false,
          })),
        }),
      end: () => {},
    };
    const talk = new Talk(openAI(server), { tools });
    talk.speaker.start();
    talk.type(1, 'When?');
    await talk.turnOver(1);
    expect(talk.messages).toEqual(['1 user: When?', '1 assistant: Let me see. It is noon.']);
    const kinds = talk.outputs.map(({ kind }) => kind);
    expect(kinds).toEqual(['message', 'tool-call', 'tool-result', 'message', 'turn-end']);
    expect(server.sessions[0]?.conversation.items.map(({ type }) => type)).toEqual([
      'message',
      'message',
      'function_call',
      'function_call_output',
      'message',
    ]);
  });

  it('are stopped by an interrupt, and nothing is sent of them', async () => {
    const server = await openAIServer({
      replies: [...calling.slice(0, 1), [{ say: 'Ok.', ms: 100 }]],
    });
    let stopped = false;
    const tools: DuplexTools = {
      offered: [],
      run: (_turn, _calls, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => {
            stopped = true;
            reject(new Error('aborted'));
          }),
        ),
      end: () => {},
    };
    const talk = new Talk(openAI(server), { tools });
    talk.speaker.start();
    talk.type(1, 'When?');
    await talk.until(() => talk.outputs.some(({ kind }) => kind === 'tool-call'));
    talk.interrupt(1);
    talk.type(2, 'Never mind.');
    await talk.turnOver(2);
    expect(stopped).toBe(true);
    expect(talk.messages.at(-1)).toBe('2 assistant: Ok.');
    expect(server.sessions[0]?.conversation.items.map(({ type }) => type)).not.toContain(
      'function_call_output',
    );
  });
});

describe('a connection that fails', () => {
  it('is opened again with the history, and asks again what was not answered', async () => {
    const server = await openAIServer({
      transcripts: ['Hello'],
      replies: [
        [{ say: 'Hi.', ms: 100 }],
        [{ say: 'It is', ms: 200 }, { fault: 'drop' }],
        [{ say: 'noon.', ms: 200 }],
      ],
    });
    const talk = new Talk(openAI(server), {
      setup: () =>
        Promise.resolve({
          system: 'Be brief.',
          tools: [],
          history: [textMessage('user', 'Before'), textMessage('assistant', 'I see')],
        }),
    });
    talk.speaker.start();
    talk.speak(1);
    await talk.turnOver(1);
    talk.type(2, 'What time?');
    await talk.turnOver(2);
    expect(talk.messages).toEqual([
      '1 user: Hello',
      '1 assistant: Hi.',
      '2 user: What time?',
      '2 assistant: It is noon.',
    ]);
    expect(
      server.sessions[1]?.conversation.items.map(({ role, text }) => `${role}: ${text}`),
    ).toEqual([
      'user: Before',
      'assistant: I see',
      'user: Hello',
      'assistant: Hi.',
      'user: What time?',
      'assistant: noon.',
    ]);
    expect(errors(talk)).toEqual([]);
  });

  it('is told a spoken turn again whose words are not known', async () => {
    const server = await openAIServer({
      transcripts: [{ fault: 'never' }, 'Hello again'],
      replies: [[{ fault: 'drop' }], [{ say: 'Hi.', ms: 100 }]],
    });
    const talk = new Talk(openAI(server), { transcriptTimeoutMs: 20_000 });
    talk.speaker.start();
    talk.speak(1, 600);
    await talk.turnOver(1);
    const [first, second] = server.sessions.map(({ conversation }) =>
      conversation.items.find(({ pcm }) => pcm !== undefined),
    );
    expect(second?.pcm).toEqual(first?.pcm);
    expect(talk.messages).toEqual(['1 user: Hello again', '1 assistant: Hi.']);
  });

  it('keeps what is said meanwhile, and drops the oldest audio beyond its bound', async () => {
    const server = await openAIServer({
      refuse: [1, 2],
      transcripts: ['Patience'],
      replies: [[{ say: 'Here.', ms: 100 }]],
    });
    const talk = new Talk(openAI(server), {
      maxWaitingAudioMs: 400,
      reconnect: { attempts: 5, baseDelayMs: 50 },
    });
    talk.speaker.start();
    talk.speak(1, 1000);
    await talk.turnOver(1);
    const kept = server.sessions[0]?.conversation.items[0]?.pcm?.length ?? 0;
    expect(kept / 48).toBeLessThanOrEqual(400);
    expect(kept / 48).toBeGreaterThan(300);
    expect(talk.events.filter(({ type }) => type === 'audio-dropped').length).toBeGreaterThan(10);
    expect(talk.messages).toEqual(['1 user: Patience', '1 assistant: Here.']);
  });

  it('counts as dead when a reply begins and nothing follows', async () => {
    // By hand, so that a busy machine does not count as a silent server.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
    const server = await openAIServer({
      replies: [[{ fault: 'stall' }], [{ say: 'Now.', ms: 100 }]],
    });
    const talk = new Talk(openAI(server));
    talk.speaker.start();
    talk.type(1, 'Hello?');
    const peer = await server.session(1);
    await expect.poll(() => peer.responding, patiently).toBe(true);
    peer.send = () => {};
    await vi.advanceTimersByTimeAsync(3 * 20_000);
    await talk.turnOver(1);
    expect(talk.messages).toEqual(['1 user: Hello?', '1 assistant: Now.']);
  });

  it('counts as dead when no reply begins', async () => {
    const server = await openAIServer({
      replies: [[{ say: 'Unheard.', ms: 100 }], [{ say: 'Now.', ms: 100 }]],
    });
    const clock = fakeClock();
    const talk = new Talk(openAI(server), { eager: true }, { clock });
    talk.speaker.start();
    await talk.event('realtime-connected');
    const peer = await server.session(1);
    peer.send = () => {};
    talk.type(1, 'Hello?');
    await expect.poll(() => peer.received, patiently).toContain('response.create');
    await clock.advance(15_000);
    await talk.event('realtime-reconnecting');
    await clock.advance(100);
    await talk.turnOver(1);
    expect(talk.messages).toEqual(['1 user: Hello?', '1 assistant: Now.']);
  });

  it('is given up: every turn ends, the error is told, the output ends without a throw', async () => {
    const script = {
      refuse: [] as number[],
      replies: [[{ say: 'It is', ms: 300 }, { gate: 'cut' }, { fault: 'drop' }]] as RealtimeReply[],
    };
    const server = await openAIServer(script);
    const talk = new Talk(openAI(server));
    talk.speaker.start();
    talk.type(1, 'What time?');
    await server.gates.reached('cut');
    script.refuse.push(2, 3, 4, 5, 6);
    server.gates.open('cut');
    expect(await talk.over).toBeUndefined();
    expect(talk.messages).toEqual(['1 user: What time?', '1 assistant: It is']);
    expect(errors(talk)).toEqual(['provider-network']);
    expect(
      talk.outputs.at(-2)?.kind === 'turn-end' || talk.outputs.at(-1)?.kind === 'turn-end',
    ).toBe(true);
    await talk.event('realtime-given-up');
    expect(server.sessions).toHaveLength(1);
  });

  it.each(['speaks', 'has just spoken'])(
    'is given up while the person %s: their turn ends behind the one before',
    async (what) => {
      const script = {
        refuse: [] as number[],
        replies: [
          [{ say: 'It is', ms: 8000 }, { gate: 'cut' }, { fault: 'drop' }],
        ] as RealtimeReply[],
      };
      const server = await openAIServer(script);
      const talk = new Talk(openAI(server));
      const speechEnd = element('speech-end', { turn: 2, misfire: false });
      talk.type(1, 'What time?');
      await server.gates.reached('cut');
      await talk.event('first-audio');
      talk.speak(2, 200, false);
      if (what === 'has just spoken') talk.push(speechEnd);
      script.refuse.push(2, 3, 4, 5, 6);
      server.gates.open('cut');
      await talk.event('realtime-given-up');
      // What they still say comes too late.
      if (what === 'speaks') talk.push(speechEnd);
      talk.push(element('turn-end', { turn: 2 }));
      talk.speak(3, 80);
      await settle();
      talk.speaker.start();
      expect(await talk.over).toBeUndefined();
      const told = talk.outputs.map(({ kind, turn }) => `${kind} ${turn}`);
      expect(told.filter((line) => !line.startsWith('error'))).toEqual([
        'message 1',
        'speech-start 2',
        'speech-end 2',
        'message 1',
        'turn-end 1',
        'turn-end 2',
      ]);
      expect(errors(talk)).toEqual(['provider-network']);
    },
  );

  it('is given up while the server hears somebody: their turn ends behind the one before', async () => {
    const script = { refuse: [] as number[], transcripts: [{ fault: 'never' } as const] };
    const server = await openAIServer(script);
    const talk = new Talk(openAI(server, { turnDetection: 'server' }));
    talk.speaker.start();
    talk.stream(400);
    const peer = await server.session(1);
    await expect.poll(() => peer.pendingSamples, patiently).toBeGreaterThan(5000);
    peer.startSpeech();
    peer.stopSpeech();
    talk.stream(400);
    await expect.poll(() => peer.pendingSamples, patiently).toBeGreaterThan(5000);
    peer.startSpeech();
    await talk.until(() =>
      talk.outputs.some(({ kind, turn }) => kind === 'speech-start' && turn === 2),
    );
    script.refuse.push(2, 3, 4, 5, 6);
    peer.hangUp();
    expect(await talk.over).toBeUndefined();
    expect(
      talk.outputs.flatMap(({ kind, turn }) => (kind.endsWith('end') ? `${kind} ${turn}` : [])),
    ).toEqual(['speech-end 1', 'speech-end 2', 'turn-end 1', 'turn-end 2']);
  });

  it('is not tried again when the token is refused', async () => {
    const server = await openAIServer();
    const talk = new Talk(openAI(server, { token: () => '' }));
    talk.speaker.start();
    talk.type(1, 'Hello?');
    await talk.over;
    expect(errors(talk)).toEqual(['provider-auth']);
    expect(talk.messages).toEqual(['1 user: Hello?', '1 assistant: ']);
  });

  it('is given up when a silent server stays silent: the turn ends with the error', async () => {
    const server = await openAIServer();
    const clock = fakeClock();
    const talk = new Talk(openAI(server), { eager: true }, { clock });
    talk.speaker.start();
    for (const session of [1, 2]) {
      await talk.event('realtime-connected', session);
      const peer = await server.session(session);
      peer.send = () => {};
      if (session === 1) talk.type(1, 'Hello?');
      await expect.poll(() => peer.received, patiently).toContain('response.create');
      await clock.advance(15_000);
      await talk.event('realtime-reconnecting', session);
      if (session === 1) await clock.advance(100);
    }
    await talk.turnOver(1);
    expect(errors(talk)).toEqual(['provider-timeout']);
  });

  it('is given up when no session lasts, although each of them is accepted', async () => {
    const server = await openAIServer();
    const talk = new Talk(openAI(server), { eager: true });
    for (const session of [1, 2, 3, 4]) {
      await talk.event('realtime-connected', session);
      (await server.session(session)).hangUp(1011, 'Internal error');
    }
    await talk.event('realtime-given-up');
    expect(server.sessions).toHaveLength(4);
  });

  it('sends the sound again, not what stands for words that nobody knows', async () => {
    const server = await openAIServer({
      transcripts: [{ fault: 'never' }, 'What time is it?'],
      replies: [
        [{ say: 'It is', ms: 100 }, { gate: 'cut' }, { fault: 'drop' }],
        [{ say: 'Noon.', ms: 100 }],
      ],
    });
    const talk = new Talk(openAI(server), { transcriptTimeoutMs: 20 });
    talk.speaker.start();
    talk.speak(1);
    await talk.until(() => talk.messages.includes('1 user: [not transcribed]'));
    server.gates.open('cut');
    await talk.turnOver(1);
    expect(server.sessions[1]?.conversation.items[0]).toMatchObject({
      role: 'user',
      text: 'What time is it?',
    });
    expect(server.sessions[1]?.conversation.items[0]?.pcm?.length).toBeGreaterThan(10_000);
    expect(talk.messages).toContain('1 user: What time is it?');
  });

  it('has no answer to a turn whose sound was lost, and goes on with the next', async () => {
    const server = await openAIServer({
      refuse: [1, 2],
      transcripts: ['Patience'],
      replies: [[{ say: 'Here.', ms: 100 }]],
    });
    const talk = new Talk(openAI(server), {
      maxWaitingAudioMs: 400,
      reconnect: { attempts: 5, baseDelayMs: 50 },
    });
    talk.speaker.start();
    talk.speak(1, 200);
    talk.speak(2, 1000);
    await talk.turnOver(2);
    expect(talk.messages).toEqual(['1 assistant: ', '2 user: Patience', '2 assistant: Here.']);
    expect(server.sessions).toHaveLength(1);
  });

  it('takes no answer to an earlier turn for that to one without any sound', async () => {
    const server = await openAIServer({ replies: [[{ say: 'Here.', ms: 100 }]] });
    const talk = new Talk(openAI(server));
    talk.speaker.start();
    talk.type(1, 'Hello?');
    talk.speak(2, 0);
    await talk.turnOver(2);
    expect(talk.messages).toEqual(['1 user: Hello?', '1 assistant: Here.', '2 assistant: ']);
  });

  it('is not exchanged for ever when our clock is wrong', async () => {
    const server = await openAIServer({
      lifetimeSeconds: -10,
      replies: [[{ say: 'One.', ms: 100 }], [{ say: 'Two.', ms: 100 }]],
    });
    const talk = new Talk(openAI(server));
    talk.speaker.start();
    for (const turn of [1, 2]) {
      talk.type(turn, 'Hello');
      await talk.turnOver(turn);
    }
    expect(talk.events.map(({ type }) => type)).not.toContain('realtime-exchange');
    expect(server.sessions).toHaveLength(1);
  });

  it('is exchanged in a pause when the session ends soon, with the history', async () => {
    const server = await openAIServer({
      lifetimeSeconds: 61,
      replies: [[{ say: 'One.', ms: 100 }], [{ say: 'Two.', ms: 100 }]],
    });
    const talk = new Talk(openAI(server));
    talk.speaker.start();
    talk.type(1, 'First');
    await talk.turnOver(1);
    await talk.event('realtime-exchange');
    await server.session(2);
    talk.type(2, 'Second');
    await talk.turnOver(2);
    expect(server.sessions[1]?.conversation.items.map(({ text }) => text)).toEqual(
      expect.arrayContaining(['First', 'One.', 'Second', 'Two.']),
    );
    expect(talk.messages).toHaveLength(4);
  });
});

interface Vendor {
  readonly runs: number;
  readonly start: (script: {
    readonly replies: readonly RealtimeReply[];
    readonly transcripts: readonly ScriptedTranscript[];
    readonly random: () => number;
  }) => Promise<{
    readonly provider: RealtimeProvider;
    readonly violations: readonly string[];
    readonly idle: () => Promise<void>;
  }>;
}

const vendors: readonly (readonly [string, Vendor])[] = [
  [
    'OpenAI',
    {
      runs: 25,
      start: async (script) => {
        const server = await openAIServer(script);
        const { violations } = server;
        return { provider: openAI(server), violations, idle: () => server.idle() };
      },
    },
  ],
  [
    'Gemini',
    {
      runs: 12,
      start: async (script) => {
        const server = await geminiServer(script);
        const { violations } = server;
        return { provider: gemini(server), violations, idle: () => server.idle() };
      },
    },
  ],
];

describe.each(vendors)('whatever happens with %s', (_, vendor) => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        say: fc.constantFrom('Yes.', 'One two three.', 'A longer answer, with a pause.'),
        ms: fc.integer({ min: 1, max: 900 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ call: { name: 'time', arguments: {} } }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        { fault: 'drop' } as const,
        { frame: '{' },
        { event: { type: 'response.new_kind' } },
      ),
    },
  );
  const action = fc.constantFrom('speak', 'type', 'misfire', 'interrupt', 'render');

  it('each turn is told once and in order, nothing is lost or doubled, and no socket stays open', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 6 }),
        fc.array(
          fc.constantFrom('Heard', { fault: 'fail' } as const, { fault: 'never' } as const),
          { minLength: 8, maxLength: 8 },
        ),
        fc.array(action, { minLength: 1, maxLength: 8 }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        async (replies, transcripts, actions, numbers) => {
          const server = await vendor.start({
            // In the end it answers.
            replies: [...replies, [{ say: 'End.', ms: 50 }]],
            transcripts,
            random: () => numbers.next().value as number,
          });
          const talk = new Talk(server.provider, {
            transcriptTimeoutMs: 20,
            replyTimeoutMs: 2000,
            reconnect: { attempts: 9, baseDelayMs: 1 },
          });
          const turns: number[] = [];
          let turn = 0;
          for (const act of actions) {
            if (act === 'render') await talk.speaker.render(100);
            else if (act === 'interrupt') talk.interrupt(turn);
            else if (act === 'misfire') {
              turn += 1;
              talk.speak(turn, 80, false);
              talk.push({ kind: 'speech-end', turn, at: 0, source: '', misfire: true });
            } else {
              talk.interrupt(turn);
              turn += 1;
              turns.push(turn);
              if (act === 'speak') talk.speak(turn, 120);
              else talk.type(turn, `typed ${turn}`);
            }
          }
          talk.speaker.start();
          talk.end();
          expect(await talk.over).toBeUndefined();
          // A message that is told again says better what was said; its id is the same.
          const ids = new Set<string>();
          const told = talk.outputs.flatMap((output) => {
            if (output.kind === 'message') {
              if (ids.has(output.message.id)) return [];
              ids.add(output.message.id);
              return `${output.turn} ${output.message.role}`;
            }
            return output.kind === 'turn-end' ? `${output.turn} end` : [];
          });
          expect(told).toEqual(turns.flatMap((n) => [`${n} user`, `${n} assistant`, `${n} end`]));
          for (const output of talk.outputs)
            if (output.kind === 'message' && output.message.role === 'assistant') {
              const { heard = '', queued = '', generated = '' } = output.message;
              expect(queued.startsWith(heard)).toBe(true);
              expect(generated.startsWith(queued)).toBe(true);
            }
          expect(server.violations).toEqual([]);
          await talk.close();
          await server.idle();
        },
      ),
      { numRuns: vendor.runs },
    );
  }, 120_000);
});
