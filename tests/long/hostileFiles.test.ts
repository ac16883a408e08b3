import { hostileFilesSuite } from '../support/hostileFilesSuite.ts';

hostileFilesSuite({ tenths: [1, 2, 3, 4, 5, 6, 7, 8, 9], traceEvery: 1 });
