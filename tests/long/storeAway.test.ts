import { storeAwaySuite } from '../support/storeAwaySuite.ts';

storeAwaySuite({ jobs: 150, storeSeconds: 60, memorySeconds: 30 });
