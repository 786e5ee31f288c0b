/** Which unit test files run in every realm: all of these families but those that need Node, with the reason. */

/** The folders of `test/unit` whose files run in Node, on a page and in a worker: stages, and what they stand on. */
export const families = [
  'conversation',
  'core',
  'flow',
  'realtime',
  'stt',
  'tts',
  'turn',
  'utility',
] as const;

const server = 'talks to a server of the test, which only Node can be';
const recordings = 'reads recordings of people that the repository does not hold';

/** The files among them that run in Node alone, and why. */
export const nodeOnly: Readonly<Record<string, string>> = {
  'conversation/history-over-http.test.ts': server,
  'core/pipeline/chain-types.test.ts': 'runs the compiler',
  'realtime/realtime-options.test.ts': 'makes Node pass for a page',
  'stt/remote-recognizer.test.ts': server,
  'tts/remote-synthesizer.test.ts': server,
  'turn/human-speech.test.ts': recordings,
  'turn/speaker-tracks-human-speech.test.ts': recordings,
};

/** Whether a file of `test/unit` runs in every realm. */
export const runsEverywhere = (file: string): boolean =>
  families.some((family) => file.startsWith(`${family}/`)) && !(file in nodeOnly);
