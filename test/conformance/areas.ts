/** All areas, in the order of the page. */
import { builderArea } from './builder.ts';
import { conversationAreas } from './conversation.ts';
import { duplexArea } from './duplex.ts';
import { elementsArea } from './elements.ts';
import { flowAreas } from './flow.ts';
import { hearingAreas } from './hearing.ts';
import { mediaAreas } from './media.ts';
import { providerAreas } from './provider.ts';
import type { Area } from './row.ts';
import { runnerArea } from './runner.ts';
import { sessionArea } from './session.ts';
import { speakingAreas } from './speaking.ts';

/** All rows. */
export const areas: readonly Area[] = [
  elementsArea,
  builderArea,
  runnerArea,
  ...hearingAreas,
  ...conversationAreas,
  ...providerAreas,
  ...speakingAreas,
  duplexArea,
  ...flowAreas,
  ...mediaAreas,
  sessionArea,
];
