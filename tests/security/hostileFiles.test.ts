import { hostileFilesSuite } from '../support/hostileFilesSuite.ts';

hostileFilesSuite({ tenths: [5], traceEvery: 16 });
