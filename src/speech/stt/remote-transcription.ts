/** Reads what `/audio/transcriptions` answers: `json`, `verbose_json`, or plain text. */
import type { TimedWord } from '../../core/element.ts';
import { AntiphonError } from '../../core/errors.ts';
import { nothingHeard } from './ctc/spoken-words.ts';
import type { Recognition } from './recognizer.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The recognition in an answer; `where` is the public address. Errors: `provider-protocol`. */
export function readTranscription(body: string, where: string): Recognition {
  const answer = fieldsOf(body);
  const text = answer?.['text'];
  if (answer === undefined || typeof text !== 'string')
    throw new AntiphonError('provider-protocol', `${where} answered no transcription.`, {
      hint: 'Check that the address is that of an OpenAI-compatible speech-to-text server.',
      details: { url: where, answer: body.slice(0, 200) },
    });
  const spoken = text.trim();
  if (spoken === '') return nothingHeard;
  return { text: spoken, words: wordsOf(answer['words']), confidence: confidenceOf(answer) };
}

function fieldsOf(body: string): Fields | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    return typeof answer === 'object' && answer !== null ? (answer as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value)
    ? value.filter((item): item is Fields => typeof item === 'object' && item !== null)
    : [];
}

function wordsOf(value: unknown): TimedWord[] {
  return listOf(value).flatMap(({ word, start, end }) =>
    typeof word === 'string' && typeof start === 'number' && typeof end === 'number'
      ? [{ text: word.trim(), start: start * 1000, end: end * 1000 }]
      : [],
  );
}

/** Whisper's segments tell the mean log probability of their tokens. */
function confidenceOf(answer: Fields): number {
  const values = listOf(answer['segments'])
    .map((segment) => segment['avg_logprob'])
    .filter((value) => typeof value === 'number');
  if (values.length === 0) return 1;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.min(1, Math.exp(mean));
}
