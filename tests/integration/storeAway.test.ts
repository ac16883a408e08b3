import { storeAwaySuite } from '../support/storeAwaySuite.ts';

// Longer than the pauses after the first attempts of a job; after all five are the outages of tests/long/storeAway.test.ts.
storeAwaySuite({ jobs: 15, storeSeconds: 6, memorySeconds: 6 });
