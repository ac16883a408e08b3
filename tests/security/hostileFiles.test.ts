import { hostileFilesSuite } from '../support/hostileFilesSuite.ts';

hostileFilesSuite({ tenths: [2, 5, 9], traceEvery: 8 });
