import { describe, expect, it } from 'vitest';
import { messageText } from '../../../src/core/element.ts';
import { openAI, openAIServer } from './rig.ts';
import { Talk } from './talk.ts';

describe('DuplexProviderStage with our own turns', () => {
  it('tells transcript, message, text, message and turn-end, and plays the reply', async () => {
    const server = await openAIServer({
      transcripts: ['What time is it?'],
      replies: [[{ say: 'It is twelve o’clock.', ms: 900 }]],
    });
    const talk = new Talk(openAI(server));
    talk.speaker.start();
    talk.speak(1);
    await talk.turnOver(1);
    expect(talk.messages).toEqual([
      '1 user: What time is it?',
      '1 assistant: It is twelve o’clock.',
    ]);
    expect(talk.outputs.map(({ kind }) => kind)).toEqual([
      'speech-start',
      'speech-end',
      ...talk.outputs.filter(({ kind }) => kind === 'transcript').map(({ kind }) => kind),
      'message',
      'message',
      'turn-end',
    ]);
    const reply = talk.outputs.findLast((output) => output.kind === 'message');
    expect(reply?.kind === 'message' && reply.message).toMatchObject({
      generated: 'It is twelve o’clock.',
      queued: 'It is twelve o’clock.',
      finishReason: 'stop',
      usage: { inputTokens: 10, outputTokens: 20 },
    });
    const loud = talk.speaker.played.filter((sample) => Math.abs(sample) > 0.01).length;
    expect(loud / 48).toBeGreaterThan(800);
    expect(server.sessions[0]?.conversation.items[0]?.pcm?.length).toBeGreaterThan(
      2 * 0.39 * 24_000,
    );
  });

  it('tells the person’s words before the answer, however late they come', async () => {
    const server = await openAIServer({
      transcripts: [{ text: 'Late words.', gate: 'transcript' }],
      replies: [[{ say: 'Quick answer.', ms: 300 }]],
    });
    const talk = new Talk(openAI(server), { transcriptTimeoutMs: 60_000 });
    talk.speak(1);
    await server.gates.reached('transcript');
    while (talk.speaker.played.every((sample) => Math.abs(sample) < 0.1))
      await talk.speaker.render(20);
    talk.speaker.start();
    expect(talk.messages).toEqual([]);
    server.gates.open('transcript');
    await talk.turnOver(1);
    expect(talk.messages).toEqual(['1 user: Late words.', '1 assistant: Quick answer.']);
  });

  it('does without a transcript that fails or never comes, and corrects it by its id when it comes after all', async () => {
    const server = await openAIServer({
      transcripts: [{ fault: 'fail' }, { fault: 'never' }, { text: 'After all.', gate: 'late' }],
      replies: [
        [{ say: 'One.', ms: 100 }],
        [{ say: 'Two.', ms: 100 }],
        [{ say: 'Three.', ms: 100 }],
      ],
    });
    const talk = new Talk(openAI(server), { transcriptTimeoutMs: 30 });
    talk.speaker.start();
    for (const turn of [1, 2, 3]) {
      talk.speak(turn);
      await talk.turnOver(turn);
    }
    server.gates.open('late');
    await talk.until(() => talk.messages.length === 7);
    expect(talk.messages).toEqual([
      '1 user: [not transcribed]',
      '1 assistant: One.',
      '2 user: [not transcribed]',
      '2 assistant: Two.',
      '3 user: [not transcribed]',
      '3 assistant: Three.',
      '3 user: After all.',
    ]);
    const ids = talk.outputs.flatMap((output) =>
      output.kind === 'message' && output.turn === 3 && output.message.role === 'user'
        ? output.message.id
        : [],
    );
    expect(new Set(ids).size).toBe(1);
    expect(talk.outputs.filter(({ kind }) => kind === 'error')).toHaveLength(1);
  });

  it('corrects in its place what has not been told yet', async () => {
    const server = await openAIServer({
      transcripts: [{ fault: 'fail' }, 'What time is it?'],
      replies: [
        [{ say: 'One.', ms: 100 }, { gate: 'cut' }, { fault: 'drop' }],
        [{ say: 'One.', ms: 100 }, { gate: 'rest' }],
        [{ say: 'Two.', ms: 100 }],
      ],
    });
    const talk = new Talk(openAI(server));
    talk.speaker.start();
    talk.type(1, 'Count.');
    await server.gates.reached('cut');
    talk.speak(2);
    // The words of the second turn are asked for again before the first one is over.
    await talk.until(() => talk.outputs.some(({ kind }) => kind === 'error'));
    server.gates.open('cut');
    await server.gates.reached('rest');
    await talk.until(() => talk.outputs.some(({ kind }) => kind === 'transcript'));
    server.gates.open('rest');
    await talk.turnOver(2);
    expect(talk.messages).toEqual([
      '1 user: Count.',
      '1 assistant: One. One.',
      '2 user: What time is it?',
      '2 assistant: Two.',
    ]);
  });

  it('truncates at the sample that was heard, and stores the words of that part', async () => {
    const words = 'one two three four five six seven eight nine ten.';
    const server = await openAIServer({
      transcripts: ['Count.', 'Stop.'],
      replies: [[{ say: words, ms: 4000 }], [{ say: 'Fine.', ms: 200 }]],
    });
    const talk = new Talk(openAI(server));
    talk.speak(1);
    await talk.event('first-audio');
    while (talk.speaker.reports.every(({ type }) => type !== 'audible'))
      await talk.speaker.render(20);
    await talk.speaker.render(1200);
    talk.interrupt(1);
    await talk.event('truncated');
    await talk.speaker.render(100);
    talk.speaker.start();
    talk.speak(2);
    await talk.turnOver(2);
    const spoken = server.sessions[0]?.conversation.items.find(({ samples }) => samples > 0);
    const loudUntil = talk.speaker.played.findIndex(
      (_, index, all) =>
        index > 0 &&
        Math.abs(all[index - 1] ?? 0) > 0.001 &&
        all.slice(index, index + 2000).every((sample) => Math.abs(sample) < 0.001),
    );
    const loudFrom = talk.speaker.played.findIndex((sample) => Math.abs(sample) > 0.001);
    const heardMs = (loudUntil - loudFrom) / 48;
    // 10 ms of fade are played beyond the cut.
    expect(Math.abs((spoken?.truncatedAtMs ?? 0) - (heardMs - 10))).toBeLessThan(6);
    const cut = talk.outputs.find(
      (output) =>
        output.kind === 'message' && output.turn === 1 && output.message.role === 'assistant',
    );
    if (cut?.kind !== 'message') throw new Error('no message');
    const { heard = '', queued = '', generated = '' } = cut.message;
    expect(generated).toBe(words);
    expect(words.startsWith(queued)).toBe(true);
    expect(queued.startsWith(heard)).toBe(true);
    expect(heard.trim().split(' ').length).toBeGreaterThanOrEqual(2);
    expect(heard.trim().split(' ').length).toBeLessThanOrEqual(4);
    expect(talk.messages.slice(-2)).toEqual(['2 user: Stop.', '2 assistant: Fine.']);
  });

  it('does not truncate what was heard to its end', async () => {
    const server = await openAIServer({
      transcripts: ['One', 'Two'],
      replies: [[{ say: 'First.', ms: 300 }], [{ say: 'Second.', ms: 300 }]],
    });
    const talk = new Talk(openAI(server));
    talk.speaker.start();
    talk.speak(1);
    await talk.turnOver(1);
    talk.interrupt(1);
    talk.speak(2);
    await talk.turnOver(2);
    expect(talk.events.some(({ type }) => type === 'truncated')).toBe(false);
    expect(talk.messages.at(-1)).toBe('2 assistant: Second.');
  });

  it('cuts a reply that is still being made, and one that has not begun', async () => {
    const server = await openAIServer({
      transcripts: ['A', 'B', 'C'],
      replies: [
        [{ say: 'Alpha beta gamma.', ms: 500 }, { gate: 'more' }, { say: 'Delta.' }],
        [{ gate: 'never' }],
        [{ say: 'Done.', ms: 100 }],
      ],
    });
    const talk = new Talk(openAI(server));
    talk.speak(1);
    await server.gates.reached('more');
    await talk.event('first-audio');
    talk.interrupt(1);
    talk.speak(2);
    await server.gates.reached('never');
    talk.interrupt(2);
    talk.speaker.start();
    talk.speak(3);
    await talk.turnOver(3);
    const reasons = talk.outputs.flatMap((output) =>
      output.kind === 'message' && output.message.role === 'assistant'
        ? [[output.turn, output.message.finishReason]]
        : [],
    );
    expect(reasons).toEqual([
      [1, 'interrupted'],
      [2, 'interrupted'],
      [3, 'stop'],
    ]);
    expect(talk.messages.filter((line) => line.includes('user'))).toEqual([
      '1 user: A',
      '2 user: B',
      '3 user: C',
    ]);
  });

  it('forgets a misfire', async () => {
    const server = await openAIServer({
      transcripts: ['Yes'],
      replies: [[{ say: 'Ok.', ms: 100 }]],
    });
    const talk = new Talk(openAI(server));
    talk.speaker.start();
    talk.speak(1, 200, false);
    talk.push({ kind: 'speech-end', turn: 1, at: 0, source: '', misfire: true });
    talk.speak(2, 400);
    await talk.turnOver(2);
    const [item] = server.sessions[0]?.conversation.items ?? [];
    expect((item?.pcm?.length ?? 0) / 2 / 24).toBeLessThan(405);
    expect(talk.messages).toEqual(['2 user: Yes', '2 assistant: Ok.']);
  });

  it('answers what is typed, and says what it is told to', async () => {
    const server = await openAIServer({
      replies: [[{ say: 'Typed answer.', ms: 100 }], [{ say: 'Hello there.', ms: 100 }]],
    });
    const talk = new Talk(openAI(server));
    talk.speaker.start();
    talk.type(1, 'Hello?');
    await talk.turnOver(1);
    talk.push({ kind: 'text', turn: 2, at: 0, source: '', text: 'Hello there.', delta: false });
    await talk.until(() => talk.messages.length === 3);
    expect(talk.messages).toEqual([
      '1 user: Hello?',
      '1 assistant: Typed answer.',
      '2 assistant: Hello there.',
    ]);
  });

  it('ends when its input ends, after the reply', async () => {
    const server = await openAIServer({ replies: [[{ say: 'Bye.', ms: 200 }]] });
    const talk = new Talk(openAI(server));
    talk.speaker.start();
    talk.type(1, 'Bye');
    talk.end();
    expect(await talk.over).toBeUndefined();
    expect(talk.messages).toEqual(['1 user: Bye', '1 assistant: Bye.']);
    await server.idle();
  });

  it('opens no session for a run without anything to say', async () => {
    const server = await openAIServer();
    const talk = new Talk(openAI(server));
    talk.speaker.start();
    talk.end();
    await talk.over;
    expect(server.sessions).toHaveLength(0);
  });

  it('assigns every word to the speech, whatever comes first', async () => {
    const server = await openAIServer({
      replies: [
        [
          { say: 'It is a long sentence, with a pause; and more.', ms: 3000 },
          { say: 'And another.', ms: 900 },
        ],
      ],
    });
    const talk = new Talk(openAI(server));
    talk.speaker.start();
    talk.type(1, 'Go');
    await talk.turnOver(1);
    const reply = talk.outputs.findLast((output) => output.kind === 'message');
    if (reply?.kind !== 'message') throw new Error('no reply');
    expect(reply.message.heard).toBe(messageText(reply.message));
    expect(reply.message.heard).toBe('It is a long sentence, with a pause; and more. And another.');
  });
});
