import { fuzzSuite } from '../support/fuzzSuite.ts';

fuzzSuite({ requests: 5000, connections: 500 });
