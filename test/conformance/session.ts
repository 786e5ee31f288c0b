/** Whole conversations by voice, over the worklets' own engines: §12.1, §12.5, §12.7, §12.9 and the gaps of §14. */
import { expect } from 'vitest';
import type { TurnTrace } from '../../src/agent/events.ts';
import { messageText, textMessage } from '../../src/core/element.ts';
import { AntiphonError } from '../../src/core/errors.ts';
import { memoryStore } from '../../src/state/memory-store.ts';
import { defineTool } from '../../src/providers/define-tool.ts';
import {
  reply,
  runOffline,
  scriptedProvider,
  toneLanguage,
  user,
  type OfflineEvent,
  type OfflineRun,
} from '../../src/testing/index.ts';
import { differs, same, type Area } from './row.ts';

const latency = { recognizerMs: 150, providerMs: 350, synthesizerMs: 80 };
const long = 'It is a quarter past three in the afternoon of a long day.';

const detailsOf = <Type extends OfflineEvent['type']>(
  { events }: OfflineRun,
  type: Type,
): Extract<OfflineEvent, { type: Type }>[] =>
  events.filter((event): event is Extract<OfflineEvent, { type: Type }> => event.type === type);

/** A reply that the person talks over after three words. */
function talkedOver() {
  const provider = scriptedProvider([long, 'The first of May.']);
  const steps = [
    user.says('What time is it?', 1200),
    user.hears(3),
    user.says('No, I meant the date.'),
    user.hearsAll(),
  ];
  const state = memoryStore();
  const conversation = 'kitchen';
  return {
    provider,
    run: () => runOffline({ provider, user: steps, latency, state, conversation }),
    stored: () => state.load(conversation),
  };
}

/** The agent as a whole. */
export const sessionArea: Area = {
  title: 'A whole conversation by voice',
  rows: [
    differs(
      'session.prompts',
      '§12.1 (a), §14 gaps',
      'System prompt and tools reach the model in a voice session.',
      'In the seed’s voice mode neither does: the model stage is made without the state of the turn.',
      async () => {
        const clock = defineTool({
          name: 'clock',
          description: 'The time.',
          parameters: {},
          execute: () => 'noon',
        });
        const provider = scriptedProvider([[reply.call('clock')], 'It is noon.']);
        const { messages } = await runOffline({
          provider,
          system: 'You are {{manner}}.',
          variables: { manner: 'brief' },
          tools: [clock],
          user: [user.says('What time is it?'), user.hearsAll()],
        });
        expect(provider.requests[0]).toMatchObject({
          system: 'You are brief.',
          tools: [{ name: 'clock' }],
        });
        expect(messages.map(messageText)).toContain('It is noon.');
      },
    ),
    differs(
      'session.resume',
      '§12.1 (c), §14 gaps',
      'A conversation that is taken up again is shown to the model, and not a word of it is spoken or answered.',
      'In the seed stored replies are spoken aloud on resume.',
      async () => {
        const state = memoryStore();
        await state.append('kitchen', [
          textMessage('user', 'I am Ada'),
          textMessage('assistant', 'Hello Ada'),
        ]);
        const provider = scriptedProvider(['You are Ada.']);
        const run = await runOffline({
          provider,
          state,
          conversation: 'kitchen',
          user: [user.pauses(1000), user.says('Who am I?'), user.hearsAll()],
        });
        expect(provider.requests.map(({ messages }) => messages.length)).toEqual([3]);
        expect(detailsOf(run, 'audible').map(({ detail }) => detail.turn)).toEqual([1]);
        expect(run.turns.map(({ heard }) => heard)).toEqual(['You are Ada.']);
        expect((await state.load('kitchen')).map(messageText)).toEqual([
          'I am Ada',
          'Hello Ada',
          'who am i',
          'You are Ada.',
        ]);
      },
    ),
    differs(
      'session.persists',
      '§12.1 (d), §14 gaps',
      'Both sides are stored: the person’s words, and the reply as it was heard.',
      'In the seed’s voice mode only what the user said is stored.',
      async () => {
        const { run, stored } = talkedOver();
        await run();
        const messages = await stored();
        expect(messages.map(({ role }) => role)).toEqual([
          'user',
          'assistant',
          'user',
          'assistant',
        ]);
        expect(messages[1]).toMatchObject({ generated: long });
        const heard = messages[1]?.heard ?? '';
        expect(heard.length).toBeGreaterThan(0);
        expect(long.startsWith(heard)).toBe(true);
        expect(heard.length).toBeLessThan(long.length);
      },
    ),
    differs(
      'session.barge-in',
      '§12.5, §14 gaps: playback-time barge-in',
      'Talking over the reply while it is heard pauses it, then silences it; the app is told; the model is shown what was heard; the interrupting words are answered.',
      'In the seed barge-in works only while speech is being synthesised, and the app is never told.',
      async () => {
        const { provider, run } = talkedOver();
        const done = await run();
        expect(detailsOf(done, 'floor').map(({ detail }) => detail.type)).toEqual([
          'pause',
          'flush',
        ]);
        expect(detailsOf(done, 'interrupt').map(({ detail }) => detail.turn)).toEqual([1]);
        const shown = provider.requests[1]?.messages.map(messageText) ?? [];
        expect(shown).toHaveLength(3);
        expect(long.startsWith(shown[1] ?? 'x')).toBe(true);
        expect(shown[1]?.length).toBeLessThan(long.length);
        expect(shown[2]).toBe('no i meant the date');
        expect(done.turns.map(({ interrupted }) => interrupted)).toEqual([true, false]);
      },
    ),
    differs(
      'session.thinking',
      '§12.5, §14 gaps: interrupt while the LLM is thinking',
      'Speaking up while the assistant thinks cancels the model and answers what was said last, with the first question known.',
      'The seed interrupts only during synthesis.',
      async () => {
        const provider = scriptedProvider([[reply.hang], 'It is Monday.']);
        const { turns } = await runOffline({
          provider,
          latency,
          user: [
            user.says('What is the meaning of life?'),
            user.waits('sees it think', ({ state }) => state.assistant === 'thinking'),
            user.pauses(400),
            user.says('Never mind, what day is it?'),
            user.hearsAll(),
          ],
        });
        expect(provider.calls.map(({ cancelled }) => cancelled)).toEqual([true, false]);
        expect(turns.at(-1)).toMatchObject({ reply: 'It is Monday.', heard: 'It is Monday.' });
      },
    ),
    differs(
      'session.survives',
      '§12.9',
      'A model, a voice or a recogniser that fails once costs one turn and is told as an error; the session goes on.',
      'In the seed any error element ends the session.',
      async () => {
        const provider = scriptedProvider([
          [new AntiphonError('provider-network', 'lost', { hint: 'Try again.' })],
          'It is noon.',
        ]);
        const run = await runOffline({
          provider,
          user: [
            user.says('What time is it?'),
            user.pauses(1500),
            user.says('Once more.'),
            user.hearsAll(),
          ],
        });
        expect(detailsOf(run, 'error').map(({ detail }) => detail.code)).toEqual([
          'provider-network',
        ]);
        expect(run.turns.at(-1)?.heard).toBe('It is noon.');
      },
    ),
    differs(
      'session.latency',
      '§11, §12.7, §14 gaps: turn latency; regression (Bluetooth)',
      'Each turn tells where its time went, from the last sample of the person to the first audible one of the reply, all on one clock.',
      'The seed measures no turn latency, no barge-in latency and no queue; with separate clocks for microphone and speaker these drifted apart.',
      async () => {
        const { turns } = await runOffline({
          provider: scriptedProvider(['It is noon. Time for lunch.']),
          latency,
          user: [user.says('What time is it?', 1200), user.hearsAll()],
        });
        const trace: TurnTrace = turns[0]?.trace ?? {};
        const { speechEnd, committed, transcribed, firstToken, firstSentence, firstAudio, heard } =
          trace as Record<string, number>;
        const marks = [
          speechEnd,
          committed,
          transcribed,
          firstToken,
          firstSentence,
          firstAudio,
          heard,
        ] as number[];
        expect(marks).toEqual(marks.toSorted((a, b) => a - b));
        const waits = 600 + latency.recognizerMs + latency.providerMs + latency.synthesizerMs;
        expect(trace.voiceToVoiceMs).toBeGreaterThanOrEqual(waits);
        expect(trace.voiceToVoiceMs).toBeLessThan(waits + 100);
      },
    ),
    differs(
      'session.text',
      '§12.9 no reply text, §14.12',
      'The app sees every word of a reply once: as increments while it is written, and as it is heard.',
      'In the seed’s voice mode with a model that does not stream the app gets sound and no text at all.',
      async () => {
        const run = await runOffline({
          provider: scriptedProvider([[reply.text('It is noon. Lunch?')]]),
          user: [user.says('What time is it?'), user.hearsAll()],
        });
        const increments = detailsOf(run, 'reply').map(({ detail }) => detail.delta);
        expect(increments.join('')).toBe('It is noon. Lunch?');
        expect(run.turns[0]?.heard).toBe('It is noon. Lunch?');
        const rendered = detailsOf(run, 'heard').map(({ detail }) => detail.text.trim());
        expect(rendered.at(-1)).toContain('Lunch?');
      },
    ),
    same(
      'session.burst',
      '§13 (burst), §14.12 long reply reaches the speaker',
      'A long reply that arrives at once is played whole, without a gap, at the speaker’s pace.',
      async () => {
        const words = Array.from({ length: 120 }, (_, index) => `word${index}`);
        const text = `${words.join(' ')}.`;
        const run = await runOffline({
          provider: scriptedProvider([text]),
          user: [user.says('Tell me all.'), user.hearsAll()],
        });
        expect(run.turns[0]?.heard).toBe(text);
        expect(detailsOf(run, 'underrun')).toEqual([]);
      },
    ),
    same(
      'session.open',
      '§13 #1665, §14.12 turn end does not end the session',
      'The end of a turn is not the end of the session: a question long after it is answered.',
      async () => {
        const { turns } = await runOffline({
          provider: scriptedProvider(['One.', 'Two.']),
          settleMs: 60_000,
          user: [
            user.says('First question?'),
            user.hearsAll(),
            user.pauses(45_000),
            user.says('Second question?'),
            user.hearsAll(),
          ],
        });
        expect(turns.map(({ heard }) => heard)).toEqual(['One.', 'Two.']);
      },
    ),
    same(
      'session.user-first',
      '§13 (late transcript)',
      'A question’s message always comes before that of its answer, also when the recogniser is slow.',
      async () => {
        const run = await runOffline({
          provider: scriptedProvider(['Noon.']),
          latency: { ...latency, recognizerMs: 2500 },
          settleMs: 4000,
          user: [user.says('What time is it?'), user.hearsAll()],
        });
        expect(detailsOf(run, 'message').map(({ detail }) => detail.message.role)).toEqual([
          'user',
          'assistant',
        ]);
      },
    ),
    same(
      'session.silence',
      '§12.3, regression (idle)',
      'Two minutes in which nobody says a word lose nothing.',
      async () => {
        const { turns } = await runOffline({
          provider: scriptedProvider(['Welcome back.']),
          language: toneLanguage(),
          user: [user.pauses(120_000), user.says('Are you still there?'), user.hearsAll()],
        });
        expect(turns.map(({ heard }) => heard)).toEqual(['Welcome back.']);
      },
    ),
  ],
};
