/** A speech-to-speech model that says what it is asked, for the realm suites: typed or spoken, without a network. */
import type { RealtimeEvent, RealtimeProvider } from '../../src/providers/realtime/realtime.ts';

/** Its speech is one sample for each character; the person always says “something”. */
export function echoRealtime(): RealtimeProvider {
  return {
    id: 'echo',
    inputSampleRate: 16_000,
    outputSampleRate: 16_000,
    turnDetection: 'local',
    finalTranscripts: true,
    connect: async (_, { onEvent }) => {
      let replies = 0;
      const answer = (said: string): void => {
        replies += 1;
        const [reply, item, text] = [`reply ${replies}`, `item ${replies}`, `You said ${said}.`];
        const events: RealtimeEvent[] = [
          { type: 'reply-started', reply },
          { type: 'text-delta', reply, item, text },
          { type: 'audio', reply, item, samples: new Float32Array(text.length) },
          { type: 'audio-done', reply },
          { type: 'reply-done', reply, reason: 'stop' },
        ];
        queueMicrotask(() => events.forEach(onEvent));
      };
      return {
        expiresAtMs: undefined,
        startTurn: () => undefined,
        appendAudio: () => undefined,
        endTurn: (utterance) => {
          queueMicrotask(() => onEvent({ type: 'user-transcript', utterance, text: 'something' }));
          answer('something');
        },
        dropTurn: () => undefined,
        sendText: answer,
        respond: () => undefined,
        say: answer,
        sendToolResults: () => undefined,
        cancelReply: () => undefined,
        truncate: () => undefined,
        close: () => undefined,
      };
    },
  };
}
