/** What the compiler must accept and refuse in a chain; checked by plain tsc, see chain.test.ts. */
import { PipelineBuilder } from '../../src/core/pipeline/builder.ts';
import { inWorker } from '../../src/core/stage/remote-stage.ts';
import { sink, transform } from '../../src/core/stage/define-stage.ts';
import type { Kind } from '../../src/core/element.ts';
import type { Stage } from '../../src/core/stage/stage.ts';

declare const microphone: Stage<never, 'audio'>;
declare const turns: Stage<'audio', 'audio' | 'speech-start' | 'utterance' | 'turn-end'>;
declare const recogniser: Stage<'utterance', 'transcript' | 'message'>;
declare const provider: Stage<'message' | 'turn-end', 'text' | 'message'>;
declare const voice: Stage<'text' | 'message', 'speech' | 'message'>;
declare const speaker: Stage<'speech', 'message'>;
declare const anything: Stage;
declare const createWorker: () => Worker;

const builder = new PipelineBuilder();

builder.chain(microphone, turns, recogniser, provider, voice, speaker);

// The first stage is fed by the run's input, whatever it consumes.
builder.chain(recogniser, provider);

// @ts-expect-error a recogniser of whole turns right behind the microphone
builder.chain(microphone, recogniser);

// @ts-expect-error what was consumed is gone
builder.chain(microphone, turns, recogniser, recogniser);

// A stage that consumes two kinds is content with one of them.
builder.chain(recogniser, voice);

// A stage of unknown kinds may follow and precede any other.
builder.chain(microphone, anything, recogniser);
builder.chain(microphone, inWorker(createWorker, 'turns'), recogniser);

// A worker's stage that states its facts is checked like any other.
const scribe = inWorker(
  createWorker,
  'scribe',
  {},
  { consumes: ['utterance'], emits: ['message'] },
);
builder.chain(microphone, turns, scribe, provider);
// @ts-expect-error no utterance in flight
builder.chain(microphone, scribe);
// @ts-expect-error no audio behind the scribe's own input
builder.chain(scribe, turns);

// Interrupts, ends and errors may turn up anywhere.
const alarm = sink({ name: 'alarm', consumes: ['interrupt', 'error'], take: () => {} });
builder.chain(microphone, alarm);

// Classes, and a long chain.
class Upper implements Stage<'text', 'text'> {
  readonly name = 'upper';
  readonly type = 'transform';
  readonly consumes = ['text'] as const;
  readonly emits = ['text'] as const;
  readonly own = 1;
  async *process(): AsyncGenerator<never> {}
}
builder.chain(
  new Upper(),
  new Upper(),
  new Upper(),
  new Upper(),
  new Upper(),
  new Upper(),
  new Upper(),
);
// @ts-expect-error nothing for the class to consume
builder.chain(microphone, new Upper());

// A list of stages of unknown length is taken as it is.
declare const list: readonly Stage[];
builder.chain(...list);

// Shapes know their elements and outputs.
transform({
  name: 'louder',
  consumes: ['audio'],
  emits: ['audio'],
  process: (one) => ({ ...one, samples: one.samples.map((value) => value * 2) }),
});
transform({
  name: 'wrong',
  consumes: ['audio'],
  emits: ['audio'],
  // @ts-expect-error emits what it did not announce
  process: () => ({ kind: 'text', text: '', delta: false, turn: 0, at: 0, source: '' }),
});

const kinds: readonly Kind[] = scribe.consumes;
void kinds;
