/** Stands where a recogniser would: takes the frames of a turn and passes everything else on. */
import { hostStages } from '../../src/core/stage/stage-host.ts';
import { sink } from '../../src/core/stage/define-stage.ts';

hostStages({
  'take frames': () => sink({ name: 'take frames', consumes: ['audio'], take: () => {} }),
});
