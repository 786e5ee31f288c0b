import { hostStages } from '../../../../src/core/index.ts';
import { gain, type GainOptions } from './gain.ts';

hostStages({ gain: (options: GainOptions) => gain(options) });
