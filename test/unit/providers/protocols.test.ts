import { startScenarioServer } from '../../providers/scenario-server.ts';
import { providerSuite } from '../../providers/suite.ts';

providerSuite(startScenarioServer);
