import { hostStages } from '../../../src/core/index.ts';
import { wakeWord } from './wake-word.ts';

hostStages({ gate: ({ word }: { word: string }) => wakeWord(word) });
