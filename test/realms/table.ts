/** Which stage runs where, and why not everywhere; `docs/architecture.md` shows it. */

/** A row. */
export interface RealmRow {
  /** An export of `antiphon`. */
  readonly stage: string;
  /** Its test file in `test/unit`, which runs wherever the stage does; none for what is no plain stage. */
  readonly suite?: string;
  /** `yes`; `together`: inside one pipeline with the stages it shares turn states with; `no`. */
  readonly worker: 'yes' | 'together' | 'no';
  /** What is to be known; empty for nothing. */
  readonly note: string;
}

const everywhere = (stage: string, suite: string, note = ''): RealmRow => ({
  stage,
  suite: `${suite}.test.ts`,
  worker: 'yes',
  note,
});
const together = (stage: string, suite: string, note: string): RealmRow => ({
  ...everywhere(stage, suite, note),
  worker: 'together',
});
const elsewhere = (stage: string, note: string): RealmRow => ({ stage, worker: 'no', note });

const nested = 'its edges go with it, in a `pipelineStage`';
const watcher = 'wraps its stage where that runs';
const shapes = 'core/stage/run-stage';

/** Every stage. */
export const realmTable: readonly RealmRow[] = [
  together('StateStoreLoadStage', 'conversation/state-stages', 'writes the history of the turn'),
  everywhere('StateStoreSaveStage', 'conversation/state-stages', 'alone it needs `conversation`'),
  together('PromptAssemblyStage', 'conversation/prompt-stages', 'writes the template of the turn'),
  together('TemplateStage', 'conversation/prompt-stages', 'writes the prompt of the turn'),
  everywhere(
    'ValidationStage',
    'conversation/validation-stage',
    'validators are functions: made in the worker’s file',
  ),
  everywhere(
    'ProviderStage',
    'conversation/provider-stage',
    'alone it knows no prompt, no stored history and no budget',
  ),
  everywhere('AudioTurnStage', 'turn/audio-turn-stage'),
  everywhere('VADAccumulatorStage', 'turn/vad-accumulator-stage'),
  everywhere('STTStage', 'stt/stt-stage'),
  everywhere('TTSStage', 'tts/tts-stage'),
  everywhere('TTSStageWithInterruption', 'tts/tts-stage-with-interruption'),
  everywhere(
    'speakerTracks',
    'turn/speaker-tracks',
    'tracks without a microphone; those are worklets',
  ),
  everywhere(
    'DuplexProviderStage',
    'realtime/duplex-provider-stage',
    'alone it knows no prompt and no stored history',
  ),
  elsewhere('MicrophoneStage', 'a worklet, made by the page; tests in `test/browser/audio`'),
  elsewhere('SpeakerStage', 'a worklet, made by the page; tests in `test/browser/audio`'),
  everywhere('RouterStage', 'flow/router-stage', nested),
  everywhere('MergeStage', 'flow/merge-stage', nested),
  everywhere('MetricsStage', 'flow/metrics-stage', watcher),
  everywhere('TracingStage', 'flow/tracing-stage', watcher),
  everywhere('compete', 'flow/compete'),
  everywhere('filter', 'flow/compose'),
  everywhere('map', 'flow/compose'),
  everywhere('passthrough', 'flow/compose'),
  everywhere('pipelineStage', 'flow/pipeline-stage'),
  everywhere('stageFrom', 'flow/compose'),
  everywhere('DebugStage', 'utility/debug-stage'),
  together(
    'VariableProviderStage',
    'utility/variable-provider-stage',
    'writes the variables of the turn',
  ),
  everywhere(
    'MediaExternalizerStage',
    'utility/media-externalizer-stage',
    'the model gets bytes back only on its own thread; else `withMedia`',
  ),
  together(
    'ContextBuilderStage',
    'utility/context-builder-stage',
    'tells the model’s stage by the turn',
  ),
  everywhere('RateLimitStage', 'utility/rate-limit-stage'),
  everywhere('TapStage', 'utility/tap-stage'),
  everywhere('transform', shapes),
  everywhere('accumulate', shapes),
  everywhere('generate', 'core/pipeline/run'),
  everywhere('sink', shapes),
  everywhere('defineStage', shapes),
];

/** The table in Markdown. */
export function realmMarkdown(): string {
  const mark = { yes: 'yes', together: 'with its neighbours', no: '–' };
  return [
    '| stage | Node, page | worker | tests in `test/unit` | |',
    '| --- | --- | --- | --- | --- |',
    ...realmTable.map(({ stage, suite, worker, note }) => {
      const [own, tests] = suite === undefined ? ['–', ''] : ['yes', `\`${suite.split('.')[0]}\``];
      return `| \`${stage}\` | ${own} | ${mark[worker]} | ${tests} | ${note} |`;
    }),
  ].join('\n');
}
