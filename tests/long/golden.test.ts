import { goldenSuite, MOVING } from '../support/goldenSuite.ts';

goldenSuite(MOVING);
