/** What `talk` says at the end: one plain object, or lines for a person. */

const marks = [
  'speechStart',
  'speechEnd',
  'committed',
  'transcribed',
  'firstToken',
  'firstSentence',
  'firstAudio',
  'heard',
];

/** Notes of the page as the documented object; times in ms from the start of the WAV. */
export function report(notes, pageErrors, leadMs) {
  const start = notes.origin + leadMs;
  const fromStart = (at) => (at === undefined ? undefined : Math.round(at - start));
  const turns = notes.turns.map(({ turn, transcript, reply, heard, interrupted, trace }) => {
    const times = Object.fromEntries(marks.map((mark) => [mark, fromStart(trace[mark])]));
    const { voiceToVoiceMs } = trace;
    return {
      turn,
      transcript,
      speechStart: times.speechStart,
      speechEnd: times.speechEnd,
      reply,
      heard,
      interrupted,
      trace: {
        ...times,
        ...(voiceToVoiceMs === undefined ? {} : { voiceToVoiceMs: Math.round(voiceToVoiceMs) }),
      },
    };
  });
  const events = notes.events.map(({ at, ...event }) => ({ at: fromStart(at), ...event }));
  return { turns, events, errors: [...notes.errors, ...pageErrors] };
}

/** Prints a report for a person. */
export function print({ turns, errors }) {
  if (turns.length === 0) console.log('Nothing was said.');
  for (const { turn, transcript, reply, heard, interrupted, trace } of turns) {
    console.log(`\nTurn ${turn}`);
    console.log(`  person     ${transcript}`);
    console.log(`  assistant  ${reply}`);
    if (interrupted || heard.trim() !== reply.trim())
      console.log(`  heard      ${heard}${interrupted ? ' (interrupted)' : ''}`);
    const times = marks
      .filter((mark) => trace[mark] !== undefined)
      .map((mark) => `${mark} ${trace[mark]}`);
    console.log(`  ms         ${times.join(', ')}`);
    if (trace.voiceToVoiceMs !== undefined)
      console.log(`  voice to voice ${trace.voiceToVoiceMs} ms`);
  }
  for (const { code, message, hint } of errors) console.error(`\n${code}: ${message} ${hint}`);
}
