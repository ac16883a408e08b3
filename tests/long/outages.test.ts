import { outageSuite } from '../support/outageSuite.ts';

// 12 s is longer than the lock of a running job, 40 s is longer than every timeout.
outageSuite([12, 40]);
