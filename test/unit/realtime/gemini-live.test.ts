import { describe, expect, it } from 'vitest';
import { textMessage } from '../../../src/core/element.ts';
import { duplexTools } from '../../../src/stages/streaming/duplex/tools.ts';
import { defineTool } from '../../../src/providers/define-tool.ts';
import { GeminiSession } from '../../../src/providers/realtime/gemini-session.ts';
import type { JsonSocket } from '../../../src/providers/realtime/json-socket.ts';
import type { RealtimeEvent, TurnDetection } from '../../../src/providers/realtime/realtime.ts';
import { gemini, geminiServer, open, webSocket } from './rig.ts';
import { speech } from './speech.ts';
import { Talk } from './talk.ts';

const errors = (talk: Talk): string[] =>
  talk.outputs.flatMap((output) => (output.kind === 'error' ? output.error.code : []));

describe('a Gemini Live session', () => {
  it('is set up and seeded with the history', async () => {
    const server = await geminiServer({ replies: [[{ say: 'Hi.', ms: 100 }]] });
    const { session, until } = await open(gemini(server, { voice: 'Kore' }), {
      system: 'Be kind.',
      tools: [{ name: 'time', description: 'The time.', parameters: { type: 'object' } }],
      history: [textMessage('user', 'Hello'), textMessage('assistant', 'Hi there')],
    });
    session.sendText('And?');
    expect(await until('reply-done')).toMatchObject({
      reason: 'stop',
      usage: { inputTokens: 7, outputTokens: 9 },
    });
    const [peer] = server.sessions;
    expect(peer?.history).toEqual(['user: Hello', 'model: Hi there']);
    expect(peer?.setup).toMatchObject({
      model: 'models/gemini-3.1-flash-live-preview',
      systemInstruction: { parts: [{ text: 'Be kind.' }] },
      realtimeInputConfig: { automaticActivityDetection: { disabled: true } },
      tools: [{ functionDeclarations: [{ name: 'time' }] }],
    });
  });

  it('holds a turn back until it is one, and tells nothing of a misfire', async () => {
    const server = await geminiServer({ replies: [[{ say: 'Hi.', ms: 100 }]] });
    const { session, until } = await open(gemini(server));
    session.startTurn();
    session.appendAudio(speech(400, 16_000));
    session.dropTurn();
    session.startTurn();
    session.appendAudio(speech(300, 16_000));
    session.endTurn('1');
    await until('reply-done');
    expect(server.sessions[0]?.received).toEqual(['activityStart', 'audio', 'activityEnd']);
    expect(server.sessions[0]?.utterances.map((audio) => audio.length)).toEqual([300 * 32]);
  });

  it.each([
    ['a token of another kind', 'opaque-1234567890123', undefined],
    ['a token that is used up', 'auth_tokens/once', 1],
  ])('fails to open with a typed error: %s', async (_, token, uses) => {
    const server = await geminiServer(uses === undefined ? { refuse: 'all' } : { uses });
    const provider = gemini(server, { token: () => token });
    if (uses !== undefined) (await open(provider)).session.close();
    await expect(open(provider)).rejects.toMatchObject({ code: 'provider-network' });
    await server.idle();
  });

  it('is closed with the reason', async () => {
    const reason = 'Request contains an invalid argument.';
    const server = await geminiServer({ replies: [[{ fault: 'close', code: 1007, reason }]] });
    const { session, until } = await open(gemini(server));
    session.sendText('Hello');
    expect((await until('closed')).error).toMatchObject({
      code: 'provider-request',
      message: expect.stringContaining(reason) as string,
    });
  });

  it('takes words that come late for those of their own turn, also behind what was no turn', async () => {
    const server = await geminiServer({
      transcripts: [{ text: 'First words.', gate: 'words' }, 'Second.'],
      replies: [[{ say: 'Yes.', ms: 100 }]],
    });
    const { session, events, until } = await open(gemini(server));
    const speak = (): void => {
      session.startTurn();
      session.appendAudio(speech(300, 16_000));
    };
    speak();
    session.endTurn('1');
    await until('reply-done');
    speak();
    session.dropTurn();
    speak();
    server.gates.open('words');
    await until('user-transcript-delta', 2);
    session.endTurn('2');
    await until('user-transcript-delta', 3);
    const heard = events.flatMap((event) =>
      event.type === 'user-transcript-delta' ? `${event.utterance} ${event.text}` : [],
    );
    expect(heard).toEqual(['1 First ', '1 words.', '2 Second.']);
  });

  it('adds to the settings of one’s own, and keeps the path of a proxy', async () => {
    const server = await geminiServer();
    const urls: string[] = [];
    class Watched extends webSocket {
      constructor(url: string) {
        super(url.replace('/live', ''));
        urls.push(url);
      }
    }
    const setup = {
      tools: [{ googleSearch: {} }],
      generationConfig: { temperature: 0.2, speechConfig: { languageCode: 'de-DE' } },
      realtimeInputConfig: { turnCoverage: 'TURN_INCLUDES_ONLY_ACTIVITY' },
    };
    const options = { setup, voice: 'Kore', url: `${server.url}/live`, webSocket: Watched };
    await open(gemini(server, options), {
      tools: [{ name: 'a', description: '', parameters: {} }],
    });
    expect(new URL(urls[0] ?? '').pathname).toMatch(/^\/live\/ws\/google/);
    expect(server.sessions[0]?.setup).toMatchObject({
      tools: [{ googleSearch: {} }, { functionDeclarations: [{ name: 'a' }] }],
      generationConfig: {
        temperature: 0.2,
        speechConfig: {
          languageCode: 'de-DE',
          voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } },
        },
      },
      realtimeInputConfig: {
        turnCoverage: 'TURN_INCLUDES_ONLY_ACTIVITY',
        automaticActivityDetection: { disabled: true },
      },
    });
  });
});

describe('the calls and words of a Gemini Live session', () => {
  const sent: Record<string, unknown>[] = [];
  const events: RealtimeEvent[] = [];
  const made = (turnDetection: TurnDetection): GeminiSession => {
    sent.length = events.length = 0;
    const send = (message: Record<string, unknown>): unknown => sent.push(message);
    const socket = { send, close() {} };
    return new GeminiSession(socket as unknown as JsonSocket, {
      turnDetection,
      endsWithStatus: false,
      onEvent: (event) => events.push(event),
    });
  };
  const call = { toolCall: { functionCalls: [{ id: 'a', name: 'time', args: {} }] } };
  const result = { callId: 'a', name: 'time', text: 'noon', isError: false };
  const sound = { inlineData: { mimeType: 'audio/pcm;rate=24000', data: 'AAA=' } };
  const says = {
    serverContent: { modelTurn: { parts: [sound] }, outputTranscription: { text: 'Noon.' } },
  };
  const over = { serverContent: { turnComplete: true } };
  const kinds = (): string[] => events.map(({ type }) => type);

  it('that do not block are answered in a turn of their own, which is nobody’s utterance', () => {
    const session = made('server');
    session.receive({ serverContent: { inputTranscription: { text: 'When?' } } });
    session.receive(call);
    session.receive(over);
    session.sendToolResults([result], true);
    session.receive(says);
    expect(kinds()).toEqual([
      'speech-started',
      'user-transcript-delta',
      'speech-stopped',
      'turn-committed',
      'reply-started',
      'tool-calls',
      'reply-done',
      'reply-started',
      'audio',
      'text-delta',
    ]);
    expect(events[6]).toMatchObject({ reason: 'tool-calls' });
  });

  it('end the turn where the tool wants it: what the server says to the results is not told', () => {
    const session = made('local');
    session.sendText('Hang up.');
    session.receive(call);
    session.sendToolResults([result], false);
    expect(sent.at(-1)).toMatchObject({
      toolResponse: { functionResponses: [{ id: 'a', scheduling: 'SILENT' }] },
    });
    session.receive(says);
    session.receive(over);
    expect(kinds()).toEqual(['reply-started', 'tool-calls', 'reply-done']);
    session.sendText('Hello?');
    session.receive(says);
    expect(kinds().slice(3)).toEqual(['reply-started', 'audio', 'text-delta']);
  });

  it.each([
    ['when the person has interrupted', (session: GeminiSession) => session.cancelReply()],
    ['when something new was asked', (session: GeminiSession) => session.sendText('And?')],
  ])('leave late words where they belong: %s', (_, act) => {
    const session = made('local');
    session.sendText('When?');
    session.receive(says);
    session.receive(over);
    session.receive({ serverContent: { outputTranscription: { text: ' Sharp.' } } });
    act(session);
    // What comes later still can't be told from words that come before their speech: it is dropped.
    session.receive({ serverContent: { outputTranscription: { text: ' Really.' } } });
    session.sendText('Thanks.');
    session.receive({ serverContent: { outputTranscription: { text: 'Noon' } } });
    session.receive({
      serverContent: { modelTurn: { parts: [sound] }, outputTranscription: { text: ' it is.' } },
    });
    expect(events.map((event) => (event.type === 'text-delta' ? event.text : event.type))).toEqual([
      'reply-started',
      'audio',
      'Noon.',
      ' Sharp.',
      'reply-done',
      'reply-started',
      'Noon',
      'audio',
      ' it is.',
    ]);
    session.close();
  });

  it('are those of an earlier question when the server breaks off a reply that nobody interrupted', () => {
    const session = made('local');
    session.sendText('When?');
    session.receive(says);
    session.receive({ serverContent: { interrupted: true } });
    session.receive(over);
    session.receive(says);
    session.receive({ serverContent: { ...says.serverContent, ...over.serverContent } });
    expect(events.filter(({ type }) => type.startsWith('reply'))).toEqual([
      { type: 'reply-started', reply: 'reply-1' },
      { type: 'reply-done', reply: 'reply-1', reason: 'interrupted', isStale: true },
      { type: 'reply-started', reply: 'reply-2' },
    ]);
    session.sendText('And?');
    session.receive(says);
    session.sendText('No, when?');
    session.receive({ serverContent: { interrupted: true } });
    expect(events.at(-1)).toEqual({ type: 'reply-done', reply: 'reply-3', reason: 'interrupted' });
    session.close();
  });

  it('that were cancelled get no result', () => {
    const session = made('local');
    session.sendText('When?');
    session.receive(call);
    session.receive({ toolCallCancellation: { ids: ['a'] } });
    session.sendToolResults([result], true);
    session.receive({
      ...call,
      toolCall: { functionCalls: [{ id: 'b', name: 'time', args: {} }] },
    });
    session.cancelReply();
    session.sendToolResults([{ ...result, callId: 'b' }], true);
    expect(sent.filter((message) => 'toolResponse' in message)).toEqual([]);
  });
});

describe('DuplexProviderStage over Gemini Live', () => {
  it('tells the person’s words, however late, before the answer', async () => {
    const server = await geminiServer({
      transcripts: ['What time is it?', { text: 'Late words.', gate: 'late' }],
      replies: [[{ say: 'It is noon.', ms: 600 }], [{ say: 'Quick.', ms: 200 }]],
    });
    const talk = new Talk(gemini(server));
    talk.speaker.start();
    talk.speak(1, 600);
    await talk.turnOver(1);
    talk.speak(2, 600);
    await server.gates.reached('late');
    server.gates.open('late');
    await talk.turnOver(2);
    expect(talk.messages).toEqual([
      '1 user: What time is it?',
      '1 assistant: It is noon.',
      '2 user: Late words.',
      '2 assistant: Quick.',
    ]);
  });

  it('cuts a reply: the history says what was heard', async () => {
    const words = 'one two three four five six seven eight nine ten.';
    const server = await geminiServer({
      transcripts: ['Count.', 'Stop.'],
      replies: [
        [{ say: words, ms: 4000 }, { gate: 'more' }, { say: 'more', ms: 500 }],
        [{ say: 'Fine.', ms: 200 }],
      ],
    });
    const talk = new Talk(gemini(server));
    talk.speak(1, 600);
    await server.gates.reached('more');
    while (talk.speaker.played.length < 48 * 1500) await talk.speaker.render(20);
    talk.speak(2, 200, false);
    talk.interrupt(1);
    await talk.event('truncated');
    talk.speaker.start();
    talk.push(
      { kind: 'speech-end', turn: 2, at: 0, source: '', misfire: false },
      { kind: 'turn-end', turn: 2, at: 0, source: '' },
    );
    await talk.turnOver(2);
    expect(talk.messages.slice(-2)).toEqual(['2 user: Stop.', '2 assistant: Fine.']);
    const cut = talk.outputs.find(
      (output) =>
        output.kind === 'message' && output.turn === 1 && output.message.role === 'assistant',
    );
    if (cut?.kind !== 'message') throw new Error('no message');
    expect(cut.message).toMatchObject({ generated: words, finishReason: 'interrupted' });
    expect(cut.message.heard?.split(' ').length).toBeGreaterThan(2);
    expect(cut.message.heard?.split(' ').length).toBeLessThan(7);
  });

  it('runs tools', async () => {
    const server = await geminiServer({
      replies: [
        [
          { call: { id: 'c', name: 'time', arguments: { zone: 'UTC' } } },
          { say: 'Noon.', ms: 200 },
        ],
      ],
    });
    const time = defineTool({
      name: 'time',
      description: 'The time.',
      parameters: { properties: { zone: { type: 'string' } } },
      execute: () => ({ time: '12:00' }),
    });
    const tools = duplexTools({ tools: [time] });
    const talk = new Talk(gemini(server), {
      tools,
      setup: () => Promise.resolve({ system: '', history: [], tools: tools.offered }),
    });
    talk.speaker.start();
    talk.type(1, 'When?');
    await talk.turnOver(1);
    tools.close();
    expect(talk.messages).toEqual(['1 user: When?', '1 assistant: Noon.']);
    expect(talk.outputs.map(({ kind }) => kind)).toEqual([
      'message',
      'tool-call',
      'tool-result',
      'message',
      'turn-end',
    ]);
    expect(server.sessions[0]?.received[1]).toContain('12:00');
  });

  it('gives the answer to the question it is for, however late the server hears of it', async () => {
    const server = await geminiServer({
      transcripts: ['First.', 'Second.'],
      replies: [[{ say: 'Wrong.', ms: 100 }, { gate: 'first' }], [{ say: 'Right.', ms: 100 }]],
    });
    const talk = new Talk(gemini(server));
    talk.speaker.start();
    talk.speak(1, 120);
    const peer = await server.session(1);
    await expect.poll(() => peer.received).toContain('activityEnd');
    // Its reply is on its way while they speak on.
    talk.interrupt(1);
    talk.speak(2, 120);
    await talk.turnOver(2);
    expect(talk.messages.filter((line) => line.startsWith('2'))).toEqual([
      '2 user: Second.',
      expect.stringMatching(/Right\.$/),
    ]);
    expect(talk.outputs.some(({ turn }) => turn === 3)).toBe(false);
  });

  it('takes the server’s turns: an utterance begins with its words or the interruption', async () => {
    const server = await geminiServer({
      transcripts: ['Count.', 'Stop.'],
      replies: [[{ say: 'One two three.', ms: 2000 }, { gate: 'on' }], [{ say: 'Ok.', ms: 200 }]],
    });
    const talk = new Talk(gemini(server, { turnDetection: 'server' }));
    talk.stream(400);
    const peer = await server.session(1);
    await talk.event('realtime-connected');
    await expect.poll(() => peer.received).toContain('audio');
    peer.hear();
    await server.gates.reached('on');
    while (talk.speaker.played.length < 48 * 700) await talk.speaker.render(20);
    peer.hear();
    await talk.event('truncated');
    talk.speaker.start();
    await talk.turnOver(2);
    expect(talk.messages.filter((line) => line.includes('user'))).toEqual([
      '1 user: Count.',
      '2 user: Stop.',
    ]);
    expect(talk.messages.at(-1)).toBe('2 assistant: Ok.');
    expect(talk.outputs.some(({ kind, turn }) => kind === 'interrupt' && turn === 1)).toBe(true);
  });

  it('goes on where it was when the server goes away, by its handle, and without it when that is dead', async () => {
    const server = await geminiServer({
      deadHandles: ['handle-2'],
      replies: [
        [{ say: 'One.', ms: 100 }],
        [{ say: 'Two.', ms: 100 }],
        [{ say: 'Three.', ms: 100 }],
      ],
    });
    const talk = new Talk(gemini(server));
    talk.speaker.start();
    talk.type(1, 'First');
    await talk.turnOver(1);
    const peer = await server.session(1);
    peer.giveHandle();
    peer.goAway(10);
    const second = await server.session(2);
    await talk.event('realtime-connected', 2);
    expect(second.setup).toMatchObject({ sessionResumption: { handle: 'handle-1' } });
    expect(second.history).toEqual([]);
    talk.type(2, 'Second');
    await talk.turnOver(2);
    second.send({ sessionResumptionUpdate: { newHandle: 'handle-2', resumable: true } });
    second.hangUp(1011, 'Deadline expired before operation could complete.');
    talk.type(3, 'Third');
    await talk.turnOver(3);
    const last = server.sessions.at(-1);
    expect(last?.history).toEqual(['user: First', 'model: One.', 'user: Second', 'model: Two.']);
    expect(talk.messages.at(-1)).toBe('3 assistant: Three.');
    expect(errors(talk)).toEqual([]);
  });
});
