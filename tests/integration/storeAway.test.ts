import { storeAwaySuite } from '../support/storeAwaySuite.ts';

// Longer than the five attempts of a job; longer ones are in tests/long/storeAway.test.ts.
storeAwaySuite({ jobs: 30, storeSeconds: 17, memorySeconds: 12 });
