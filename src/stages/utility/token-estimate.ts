/** How many tokens a text or a message takes, roughly, without a model's own tokeniser. */
import type { Message } from '../../core/element.ts';

/** Characters of scripts that take about one token each. */
const dense =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Extended_Pictographic}]/gu;

/** What a message takes besides its content: its role and its ends. */
const perMessage = 4;
/** What an image, sound, video or file is taken for. */
const perMedia = 1000;

/**
 * Estimates on the high side: the larger of 1.35 tokens a word and one for four characters, and one
 * for each character of scripts written without spaces.
 */
export function estimateTokens(text: string): number {
  const denseCount = text.match(dense)?.length ?? 0;
  const rest = text.replaceAll(dense, ' ').trim();
  if (rest === '') return denseCount;
  const words = rest.split(/\s+/).length;
  return denseCount + Math.ceil(Math.max(words * 1.35, rest.length / 4));
}

/** The same for a message: all its parts, the arguments of its tool calls, and 1000 for each image, sound or file. */
export function estimateMessageTokens(message: Message): number {
  let tokens = perMessage;
  for (const part of message.parts)
    tokens +=
      part.type === 'text' || part.type === 'reasoning' ? estimateTokens(part.text) : perMedia;
  for (const { name, arguments: given } of message.toolCalls ?? [])
    tokens += estimateTokens(`${name} ${JSON.stringify(given) ?? ''}`);
  return tokens;
}
