/** Which stage runs where, and why not everywhere; `docs/architecture.md` shows it. */
import type { StageName } from './stages.ts';

/** A row. */
export interface RealmRow {
  /** An export of `antiphon`. */
  readonly stage: string;
  /** How it runs in the suites: keys of `stages`. */
  readonly suites: readonly StageName[];
  /** `yes`; `together`: inside one pipeline with the stages it shares turn states with; `no`. */
  readonly worker: 'yes' | 'together' | 'no';
  /** What is to be known; empty for nothing. */
  readonly note: string;
}

const everywhere = (stage: string, suites: readonly StageName[], note = ''): RealmRow => ({
  stage,
  suites,
  worker: 'yes',
  note,
});
const together = (stage: string, note: string): RealmRow => ({
  stage,
  suites: ['conversation'],
  worker: 'together',
  note,
});
const elsewhere = (stage: string, note: string): RealmRow => ({
  stage,
  suites: [],
  worker: 'no',
  note,
});

const nested = 'its edges go with it, in a `pipelineStage`';
const watcher = 'wraps its stage where that runs';

/** Every stage. */
export const realmTable: readonly RealmRow[] = [
  together('StateStoreLoadStage', 'writes the history of the turn'),
  everywhere(
    'StateStoreSaveStage',
    ['stateStoreSave', 'conversation'],
    'alone it needs `conversation`',
  ),
  together('PromptAssemblyStage', 'writes the template of the turn'),
  together('TemplateStage', 'writes the prompt of the turn'),
  everywhere(
    'ValidationStage',
    ['validation'],
    'validators are functions: made in the worker’s file',
  ),
  everywhere(
    'ProviderStage',
    ['provider', 'conversation'],
    'alone it knows no prompt, no stored history and no budget',
  ),
  everywhere('AudioTurnStage', ['audioTurn']),
  everywhere('VADAccumulatorStage', ['vadAccumulator']),
  everywhere('STTStage', ['stt']),
  everywhere('TTSStage', ['tts']),
  everywhere('TTSStageWithInterruption', ['ttsWithInterruption']),
  everywhere('speakerTracks', ['speakerTracks'], 'tracks without a microphone; those are worklets'),
  everywhere('DuplexProviderStage', ['duplex'], 'alone it knows no prompt and no stored history'),
  elsewhere('MicrophoneStage', 'a worklet, made by the page; tests in `test/browser/audio`'),
  elsewhere('SpeakerStage', 'a worklet, made by the page; tests in `test/browser/audio`'),
  everywhere('RouterStage', ['router'], nested),
  everywhere('MergeStage', ['merge', 'router'], nested),
  everywhere('MetricsStage', ['metrics'], watcher),
  everywhere('TracingStage', ['tracing'], watcher),
  everywhere('compete', ['compete']),
  everywhere('filter', ['filter']),
  everywhere('map', ['map']),
  everywhere('passthrough', ['passthrough']),
  everywhere('pipelineStage', ['pipelineStage', 'conversation']),
  everywhere('stageFrom', ['stageFrom']),
  everywhere('DebugStage', ['debug']),
  together('VariableProviderStage', 'writes the variables of the turn'),
  everywhere(
    'MediaExternalizerStage',
    ['mediaExternalizer'],
    'the model gets bytes back only on its own thread; else `withMedia`',
  ),
  together('ContextBuilderStage', 'tells the model’s stage by the turn'),
  everywhere('RateLimitStage', ['rateLimit']),
  everywhere('TapStage', ['tap']),
  everywhere('transform', ['transform']),
  everywhere('accumulate', ['accumulate']),
  everywhere('generate', ['generate']),
  everywhere('sink', ['sink']),
  everywhere('defineStage', ['defineStage']),
];

/** The table in Markdown. */
export function realmMarkdown(): string {
  const mark = { yes: 'yes', together: 'with its neighbours', no: '–' };
  return [
    '| stage | Node, page | worker | |',
    '| --- | --- | --- | --- |',
    ...realmTable.map(({ stage, suites, worker, note }) => {
      const own = suites.length > 0 ? 'yes' : '–';
      return `| \`${stage}\` | ${own} | ${mark[worker]} | ${note} |`;
    }),
  ].join('\n');
}
