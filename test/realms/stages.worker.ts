/** The worker of the realm suites: hosts all of their stages. */
import { hostStages } from '../../src/core/stage/stage-host.ts';
import { stages } from './stages.ts';

hostStages(stages);
