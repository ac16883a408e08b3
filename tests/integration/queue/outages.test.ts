import { outageSuite } from '../../support/outageSuite.ts';

// Shorter than the lock of a running job; longer ones are in tests/long/outages.test.ts.
outageSuite([3]);
