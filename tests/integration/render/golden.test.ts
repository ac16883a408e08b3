import { examples, goldenSuite, MOVING } from '../../support/goldenSuite.ts';

goldenSuite(examples.filter((path) => !MOVING.includes(path)));
