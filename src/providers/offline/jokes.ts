/** A dozen jokes, told one after the other. */

/** Short enough to be spoken in one breath or two. */
export const jokes: readonly string[] = [
  'I told my microphone a secret. Now it keeps giving me feedback.',
  'Why did the web page go to the doctor? It had lost its cookies.',
  'My timer and I broke up. It said I was always counting on it.',
  'Why was the calculator so popular? You could always count on it.',
  'I asked the choir for a joke. They answered in four parts.',
  'Why do clocks never get lost? They always know where their hands are.',
  'The loudspeaker quit its job. Nobody there ever let it finish.',
  'Why did the number nine sit down? It was tired of standing on one leg.',
  'I wanted to tell you a joke about silence. But I could not hear anyone ask for it.',
  'What does a tree say to a microphone? Careful with the bark.',
  'Why did the calendar look so tired? Its days were numbered.',
  'A vowel walked into a word. After that, everything sounded better.',
];

/** The first joke whose text is in none of `said`; undefined when all were told. */
export function freshJoke(said: readonly string[]): string | undefined {
  return jokes.find((joke) => !said.some((text) => text.includes(joke)));
}
