import { fuzzSuite } from '../support/fuzzSuite.ts';

fuzzSuite({
  requests: 5000,
  connections: 500,
  kinds: ['GET 200', 'POST 200', 'POST 202', 'POST 400', 'DELETE 404'],
});
