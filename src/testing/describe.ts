/** Streams as text: the same stream gives the same lines on every machine, so that a log can be kept in a file. */
import { meanSquare } from '../audio/level.ts';
import { messageText, type Message, type StreamElement } from '../core/element.ts';
import { samplesToMs } from '../core/time.ts';

/**
 * One line about an element: time, turn, kind and what it carries, without ids, dates and sources. Levels
 * and times are rounded.
 */
export function describeElement(element: StreamElement): string {
  const what = content(element);
  return `${round(element.at)} #${element.turn} ${element.kind}${what === '' ? '' : ` ${what}`}`;
}

/**
 * A line for each element (see {@link describeElement}); neighbouring `audio` elements of one turn share a
 * line, which tells how many they are. Empty for none.
 */
export function describeElements(elements: Iterable<StreamElement>): string {
  const lines: string[] = [];
  let run: StreamElement[] = [];
  const flush = (): void => {
    if (run.length > 0) lines.push(describeRun(run));
    run = [];
  };
  for (const element of elements) {
    if (run.length > 0 && !continues(run, element)) flush();
    if (element.kind === 'audio') run.push(element);
    else lines.push(describeElement(element));
  }
  flush();
  return lines.join('\n');
}

function continues(run: readonly StreamElement[], element: StreamElement): boolean {
  const [first] = run;
  return (
    first?.kind === 'audio' &&
    element.kind === 'audio' &&
    first.turn === element.turn &&
    first.sampleRate === element.sampleRate
  );
}

function describeRun(run: readonly StreamElement[]): string {
  const chunks = run.filter((each) => each.kind === 'audio');
  const [first] = chunks;
  if (!first) return '';
  if (chunks.length === 1) return describeElement(first);
  const total = chunks.reduce((sum, { samples }) => sum + samples.length, 0);
  const energy = chunks.reduce((sum, { samples }) => sum + meanSquare(samples) * samples.length, 0);
  const ms = samplesToMs(total, first.sampleRate);
  const power = total === 0 ? 0 : energy / total;
  return `${round(first.at)} #${first.turn} audio ${sound(ms, first.sampleRate, power)} in ${chunks.length}`;
}

interface Sampled {
  readonly samples: Float32Array;
  readonly sampleRate: number;
}

function lengthMs({ samples, sampleRate }: Sampled): number {
  return samplesToMs(samples.length, sampleRate);
}

function describeSound(sampled: Sampled): string {
  return sound(lengthMs(sampled), sampled.sampleRate, meanSquare(sampled.samples));
}

function sound(ms: number, sampleRate: number, power: number): string {
  return `${round(ms)} ms at ${sampleRate} Hz, level ${Math.sqrt(power).toFixed(2)}`;
}

function content(element: StreamElement): string {
  switch (element.kind) {
    case 'audio':
      return describeSound(element);
    case 'utterance':
      return `${describeSound(element)}, speech ${round(element.speechStart)}…${round(element.speechEnd)}`;
    case 'transcript':
      return `${element.final ? 'final' : 'interim'} ${quote(element.text)}`;
    case 'text':
      return `${element.delta ? '+' : ''}${quote(element.text)}`;
    case 'message':
      return describeMessage(element.message);
    case 'tool-call':
      return `${element.call.name} ${json(element.call.arguments)}`;
    case 'tool-result':
      return `${element.name} ${element.isError ? 'failed ' : ''}${json(element.result)}`;
    case 'speech':
      return `${describeSound(element)} ${quote(element.text)}${element.last ? ' last' : ''}`;
    case 'media':
      return `${element.mediaType} ${typeof element.data === 'string' ? element.data : `${element.data.length} bytes`}`;
    case 'error':
      return `${element.error.code} ${quote(element.error.message)}`;
    case 'speech-end':
      return element.misfire ? 'misfire' : '';
    default:
      return '';
  }
}

/** Role and text of a message; of a reply also how it ended and, where that is another, what was heard. */
export function describeMessage(message: Message): string {
  const text = messageText(message);
  const { heard, finishReason, toolCalls = [] } = message;
  const others = message.parts.filter(({ type }) => type !== 'text').map(({ type }) => type);
  return [
    message.role,
    quote(text),
    ...others,
    ...toolCalls.map(({ name }) => `calls ${name}`),
    ...(finishReason === undefined ? [] : [finishReason]),
    ...(heard === undefined || text === ''
      ? []
      : [heard === text ? 'all heard' : `heard ${quote(heard)}`]),
  ].join(' ');
}

/** At most two decimals, without trailing zeros. */
function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function json(value: unknown): string {
  return JSON.stringify(value) ?? 'undefined';
}
