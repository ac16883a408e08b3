import { fuzzSuite } from '../support/fuzzSuite.ts';

fuzzSuite({ requests: 600, connections: 100, kinds: ['GET 200', 'POST 400'] });
