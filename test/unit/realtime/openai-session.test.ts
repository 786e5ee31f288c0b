import { afterEach, describe, expect, it } from 'vitest';
import { textMessage } from '../../../src/core/element.ts';
import { AntiphonError, serializeError } from '../../../src/core/errors.ts';
import type { JsonSocket, WebSocketClass } from '../../../src/providers/realtime/json-socket.ts';
import { OpenAISession } from '../../../src/providers/realtime/openai-session.ts';
import type { RealtimeEvent } from '../../../src/providers/realtime/realtime.ts';
import { decodePcmBase64, encodePcmBase64 } from '../../../src/providers/realtime/pcm-base64.ts';
import { expectViolations, open, openAI, openAIServer } from './rig.ts';
import { speech } from './speech.ts';

const texts = (events: readonly { type: string }[]): string =>
  events
    .map((event) =>
      event.type === 'text-delta' ? (event as unknown as { text: string }).text : '',
    )
    .join('');

async function failure(promise: Promise<unknown>): Promise<AntiphonError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!AntiphonError.is(error)) throw new Error(`no typed error: ${String(error)}`);
  return error;
}

describe('PCM in base64', () => {
  it('comes back as it was, within half a step', () => {
    const samples = speech(20);
    const back = decodePcmBase64(encodePcmBase64(samples)) ?? new Float32Array();
    expect(back.length).toBe(samples.length);
    for (const [index, sample] of back.entries())
      expect(Math.abs(sample - (samples[index] ?? 0))).toBeLessThan(1 / 16_000);
  });

  it('clips what is too loud and takes what is no number for silence', () => {
    const back = decodePcmBase64(encodePcmBase64(new Float32Array([2, -2, Number.NaN])));
    expect([...(back ?? [])]).toEqual([32767 / 32768, -1, 0]);
  });

  it('refuses half a sample and what is no base64', () => {
    expect(decodePcmBase64('AAAA')).toBeUndefined();
    expect(decodePcmBase64('*')).toBeUndefined();
  });
});

describe('an OpenAI realtime session', () => {
  it('is set up with prompt, tools, formats and history before it resolves', async () => {
    const server = await openAIServer();
    const { session } = await open(openAI(server), {
      system: 'Be kind.',
      tools: [{ name: 'time', description: 'The time.', parameters: { type: 'object' } }],
      history: [
        textMessage('user', 'Hello'),
        textMessage('assistant', 'Hi there'),
        textMessage('assistant', ''),
      ],
    });
    const [peer] = server.sessions;
    expect(peer?.settings).toMatchObject({
      instructions: 'Be kind.',
      output_modalities: ['audio'],
      audio: {
        input: { turn_detection: null, transcription: { model: 'gpt-transcribe' } },
        output: { voice: 'marin', format: { type: 'audio/pcm', rate: 24_000 } },
      },
      tools: [{ type: 'function', name: 'time' }],
    });
    session.respond();
    await expect
      .poll(() => peer?.conversation.items.map(({ role, text }) => [role, text]))
      .toEqual([
        ['user', 'Hello'],
        ['assistant', 'Hi there'],
      ]);
    expect(session.expiresAtMs).toBeGreaterThan(Date.now());
  });

  it('sends a turn, and tells transcript, speech and text of the reply', async () => {
    const server = await openAIServer({
      replies: [[{ say: 'It is noon.', ms: 700 }]],
      transcripts: ['What time is it?'],
    });
    const { session, events, until } = await open(openAI(server));
    session.startTurn();
    session.appendAudio(speech(300));
    session.appendAudio(speech(200));
    session.endTurn('mine');
    const done = await until('reply-done');
    expect(done).toMatchObject({ reason: 'stop', usage: { inputTokens: 10, outputTokens: 20 } });
    expect(await until('user-transcript')).toMatchObject({
      utterance: 'mine',
      text: 'What time is it?',
    });
    expect(texts(events)).toBe('It is noon.');
    const samples = events.reduce(
      (sum, event) => sum + (event.type === 'audio' ? event.samples.length : 0),
      0,
    );
    expect(samples).toBe(0.7 * 24_000);
    expect(server.sessions[0]?.conversation.items[0]?.pcm?.length).toBe(24_000);
  });

  it('clears what was no turn', async () => {
    const server = await openAIServer({ replies: [[{ say: 'Yes.' }]] });
    const { session, until } = await open(openAI(server));
    session.appendAudio(speech());
    session.dropTurn();
    session.sendText('Hello?');
    await until('reply-done');
    expect(server.sessions[0]?.pendingSamples).toBe(0);
  });

  it('answers an empty turn by itself: there is nothing to commit', async () => {
    const server = await openAIServer();
    const { session, events } = await open(openAI(server));
    const { length } = events;
    session.endTurn('empty');
    // The vendor takes nothing under 100 ms.
    session.appendAudio(speech(99));
    session.endTurn('short');
    expect(events.slice(length)).toEqual(
      ['empty', 'short'].flatMap((utterance) => [
        { type: 'user-transcript', utterance, text: '' },
        { type: 'reply-started', reply: `none ${utterance}`, utterance },
        { type: 'reply-done', reply: `none ${utterance}`, reason: 'stop' },
      ]),
    );
    await expect
      .poll(() => server.sessions[0]?.received.slice(1))
      .toEqual(['input_audio_buffer.append', 'input_audio_buffer.clear']);
  });

  it('tells nothing more of a cancelled reply, late deltas included, and truncates in whole ms within what came', async () => {
    const server = await openAIServer({
      replies: [[{ say: 'One two three.', ms: 1000 }, { gate: 'middle' }, { say: 'Four.' }]],
    });
    const { session, events, until } = await open(openAI(server));
    session.sendText('Count.');
    await server.gates.reached('middle');
    await until('audio', 10);
    const { item } = await until('audio');
    session.cancelReply();
    const told = events.length;
    session.truncate(item, 433.7);
    expect(await until('reply-done')).toMatchObject({ reason: 'interrupted' });
    session.sendText('Go on.');
    await until('reply-started', 2);
    expect(events.slice(told, told + 2).map(({ type }) => type)).toEqual([
      'reply-done',
      'reply-started',
    ]);
    const truncated = server.sessions[0]?.conversation.items.find(({ id }) => id === item);
    expect(truncated?.truncatedAtMs).toBe(433);
    session.truncate('nothing', 10);
  });

  it('never says that more was heard than was received', async () => {
    const server = await openAIServer({ replies: [[{ say: 'Ten.', ms: 200 }]] });
    const { session, until } = await open(openAI(server));
    session.sendText('Count.');
    await until('reply-done');
    const { item } = await until('audio');
    session.truncate(item, 9_999);
    await expect
      .poll(
        () => server.sessions[0]?.conversation.items.find(({ id }) => id === item)?.truncatedAtMs,
      )
      .toBe(200);
  });

  it('cancels a reply that was asked for and has not begun', async () => {
    const server = await openAIServer({ replies: [[{ say: 'Late.' }]] });
    const { session, events, until } = await open(openAI(server));
    session.sendText('First');
    session.cancelReply();
    session.sendText('Second');
    await until('reply-done', 2);
    expect(events.map(({ type }) => type).filter((type) => type.startsWith('reply'))).toEqual([
      'reply-done',
      'reply-started',
      'reply-done',
    ]);
  });

  it('asks for one reply at a time', async () => {
    const server = await openAIServer({ replies: [[{ say: 'One.' }], [{ say: 'Two.' }]] });
    const { session, until } = await open(openAI(server));
    session.sendText('1');
    session.sendText('2');
    await until('reply-done', 2);
  });

  it('tells the calls of a reply when it is complete, and goes on with their results', async () => {
    const server = await openAIServer({
      replies: [
        [
          { call: { id: 'a', name: 'time', arguments: { zone: 'UTC' } } },
          { call: { id: 'b', name: 'date', arguments: '{broken' } },
        ],
        [{ say: 'Noon.' }],
      ],
    });
    const { session, until } = await open(openAI(server));
    session.sendText('When?');
    const { calls } = await until('tool-calls');
    expect(calls).toEqual([
      { id: 'a', name: 'time', arguments: { zone: 'UTC' } },
      { id: 'b', name: 'date', arguments: '{broken' },
    ]);
    session.sendToolResults(
      [
        { callId: 'a', name: 'time', text: '{"time":"12:00"}', isError: false },
        { callId: 'b', name: 'date', text: 'Error: bad arguments', isError: true },
      ],
      true,
    );
    await until('reply-done', 2);
    const outputs = server.sessions[0]?.conversation.items
      .filter(({ type }) => type === 'function_call_output')
      .map(({ text }) => text);
    expect(outputs).toEqual(['{"time":"12:00"}', 'Error: bad arguments']);
  });

  it('does not run the calls of a reply that was cancelled', async () => {
    const server = await openAIServer({
      replies: [[{ call: { name: 'time', arguments: {} } }, { gate: 'called' }]],
    });
    const { session, events, until } = await open(openAI(server));
    session.sendText('When?');
    await server.gates.reached('called');
    await until('reply-started');
    session.cancelReply();
    await until('reply-done');
    expect(events.some(({ type }) => type === 'tool-calls')).toBe(false);
  });

  it('tells speech that the server hears', async () => {
    const server = await openAIServer({
      replies: [[{ say: 'Hi.' }]],
      transcripts: [{ fault: 'fail' }],
    });
    const { session, until } = await open(openAI(server, { turnDetection: 'server' }));
    session.appendAudio(speech());
    const peer = await server.session(1);
    await expect.poll(() => peer.pendingSamples).toBe(12_000);
    peer.startSpeech();
    const { utterance, atMs } = await until('speech-started');
    expect(atMs).toBe(500);
    peer.stopSpeech();
    expect(await until('turn-committed')).toMatchObject({ utterance });
    expect(await until('user-transcript-failed')).toMatchObject({ utterance });
    await until('reply-done');
  });

  it.each([
    ['drop', { fault: 'drop' }, 'provider-network'],
    [
      'close with a reason',
      { fault: 'close', code: 1008, reason: 'invalid token ek_short_lived_token_1234567890' },
      'provider-auth',
    ],
    ['no JSON', { frame: 'so long' }, 'provider-protocol'],
    ['no object', { frame: '[1]' }, 'provider-protocol'],
  ] as const)('tells once that the connection is gone: %s', async (_, step, code) => {
    const server = await openAIServer({ replies: [[{ say: 'Half a' }, step]] });
    const { session, events, until } = await open(openAI(server));
    session.sendText('Hello');
    const { error } = await until('closed');
    expect(error.code).toBe(code);
    expect(JSON.stringify(error)).not.toContain('ek_short');
    session.sendText('Are you there?');
    session.close();
    await server.idle();
    expect(events.filter(({ type }) => type === 'closed')).toHaveLength(1);
  });

  it('asks a silent server for a sign of life, and gives up one that gives none', async () => {
    const server = await openAIServer({ replies: [[{ fault: 'stall' }]] });
    const { until } = await open(openAI(server, { keepaliveMs: 20 }));
    const [peer] = server.sessions;
    await expect
      .poll(() => peer?.received.filter((type) => type === 'session.update').length)
      .toBeGreaterThan(2);
    if (peer) peer.send = () => {};
    expect((await until('closed')).error).toMatchObject({
      code: 'provider-network',
      retryable: true,
    });
  });

  it.each([
    ['a refused handshake', { refuse: 'all' as const }, {}, 'provider-network'],
    ['a server that says nothing', { mute: [1] }, { connectTimeoutMs: 50 }, 'provider-timeout'],
    ['an unknown voice', {}, { voice: 'nobody' }, 'provider-request'],
    [
      'a token function that fails',
      {},
      { token: () => Promise.reject(new Error('no')) },
      'provider-auth',
    ],
    ['no token', {}, { token: () => '' }, 'provider-auth'],
  ])(
    'fails to open with a typed error and no socket left: %s',
    async (_, script, options, code) => {
      const server = await openAIServer(script);
      const events: RealtimeEvent[] = [];
      const connection = {
        signal: new AbortController().signal,
        onEvent: events.push.bind(events),
      };
      const setup = { system: '', history: [], tools: [] };
      const error = await failure(openAI(server, options).connect(setup, connection));
      // It is told once.
      expect(events).toEqual([]);
      // A bad value is told by an `error` event without status.
      expect(['provider-protocol', code]).toContain(error.code);
      expect(error.hint).not.toBe('');
      await server.idle();
      if ('voice' in options) expectViolations(server, ['there is no voice "nobody"']);
    },
  );

  it('takes a token with a line break behind it', async () => {
    const server = await openAIServer();
    await open(openAI(server, { token: () => 'ek_short_lived_token_1234567890\n' }));
  });

  it('shows no token that makes no subprotocol, as browsers do in their complaint', async () => {
    function Picky(url: string, protocols: readonly string[]): never {
      throw new SyntaxError(`The subprotocol '${protocols[1]}' of ${url} is invalid.`);
    }
    const server = await openAIServer();
    const token = 'abc def';
    const webSocket = Picky as unknown as WebSocketClass;
    const url = `${server.url}?ticket_key=qwe%20rty`;
    const error = await failure(open(openAI(server, { token: () => token, webSocket, url })));
    expect(error.code).toBe('invalid-argument');
    expect(JSON.stringify(serializeError(error))).not.toMatch(/abc|qwe/);
  });

  it('can be given up while it opens', async () => {
    const server = await openAIServer({ mute: [1] });
    const controller = new AbortController();
    const opening = openAI(server).connect(
      { system: '', history: [], tools: [] },
      { signal: controller.signal, onEvent: () => {} },
    );
    await server.session(1);
    controller.abort();
    expect((await failure(opening)).code).toBe('aborted');
    await server.idle();
  });

  it('is strict: what the vendor would refuse is a violation', async () => {
    const server = await openAIServer();
    const { session } = await open(openAI(server));
    session.truncate('item_unknown', 5);
    for (const options of [
      { session: { temperature: 0.8 } },
      { session: { audio: { input: { turns: true } } } },
      { turnDetection: { type: 'semantic_vad', threshold: 0.5 } },
      { transcription: { model: 'gpt-transcribe', tongue: 'en' } },
    ])
      expect((await failure(open(openAI(server, options)))).code).toBe('provider-request');
    expectViolations(server, [
      'session.update has the unknown field "temperature"',
      'input has the unknown field "turns"',
      'semantic_vad has the unknown field "threshold"',
      'transcription has the unknown field "tongue"',
    ]);
  });
});

describe('the responses of an OpenAI realtime session', () => {
  const sent: Record<string, unknown>[] = [];
  const events: RealtimeEvent[] = [];
  let session: OpenAISession | undefined;
  const made = (mustCall = false): OpenAISession => {
    sent.length = events.length = 0;
    const send = (message: Record<string, unknown>): unknown => sent.push(message);
    session = new OpenAISession({ send, close() {} } as unknown as JsonSocket, {
      turnDetection: 'server',
      where: 'wss://a.example',
      onEvent: (event) => events.push(event),
      keepaliveMs: 1_000_000,
      mustCall,
    });
    return session;
  };
  afterEach(() => session?.close());
  const asked = (): Record<string, unknown>[] =>
    sent.filter(({ type }) => type === 'response.create');
  const busy = (event_id: unknown): Record<string, unknown> => ({
    type: 'error',
    error: { code: 'conversation_already_has_active_response', message: 'Busy.', event_id },
  });

  it('that the server refuses because it began one by itself are asked for again, word for word', () => {
    const talk = made();
    talk.say('Good morning.');
    talk.receive({ type: 'response.created', response: { id: 'own' } });
    talk.receive(busy(asked()[0]?.['event_id']));
    expect(asked()).toHaveLength(1);
    talk.receive({ type: 'response.done', response: { id: 'own', status: 'completed' } });
    expect(asked()).toHaveLength(2);
    expect(asked()[1]?.['response']).toEqual(asked()[0]?.['response']);
    expect(JSON.stringify(asked()[1])).toContain('Good morning.');
  });

  it('are not wanted when they were asked for before the person spoke', () => {
    const talk = made();
    talk.sendText('And?');
    talk.receive({ type: 'input_audio_buffer.speech_started', item_id: 'u' });
    talk.receive({ type: 'response.created', response: { id: 'late' } });
    expect(sent.at(-1)).toEqual({ type: 'response.cancel', response_id: 'late' });
    expect(events.map(({ type }) => type)).toEqual(['speech-started']);
  });

  it('that the server will not make end with its error, and the next one is asked for', () => {
    const talk = made();
    talk.sendText('One');
    talk.sendText('Two');
    const { event_id } = asked()[0] ?? {};
    talk.receive({
      type: 'error',
      error: { code: 'rate_limit_exceeded', message: 'Wait.', event_id },
    });
    expect(events).toMatchObject([
      { type: 'reply-started' },
      { type: 'reply-done', reason: 'error', error: { code: 'provider-rate-limit' } },
    ]);
    expect(asked()).toHaveLength(2);
  });

  it('must call a tool at first only', async () => {
    const server = await openAIServer({
      replies: [[{ call: { id: 'a', name: 'time', arguments: {} } }], [{ say: 'Noon.', ms: 50 }]],
    });
    const tools = [{ name: 'time', description: '', parameters: { type: 'object' } }];
    const opened = await open(openAI(server), { tools, toolChoice: { name: 'time' } });
    const [peer] = server.sessions;
    expect(peer?.settings['tool_choice']).toEqual({ type: 'function', name: 'time' });
    opened.session.sendText('When?');
    await opened.until('tool-calls');
    const result = { callId: 'a', name: 'time', text: 'noon', isError: false };
    opened.session.sendToolResults([result], true);
    await opened.until('reply-done', 2);
    expect(peer?.requested).toEqual([{}, { tool_choice: 'auto' }]);
    const free = await open(openAI(server), { toolChoice: { name: 'time' } });
    free.session.respond();
    await free.until('reply-done');
    expect(server.sessions[1]?.settings['tool_choice']).toBe('auto');
    expect(server.sessions[1]?.requested).toEqual([{}]);
  });
});
