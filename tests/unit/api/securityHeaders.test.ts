import { once } from 'node:events';
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import helmet from '@fastify/helmet';
import Fastify, { type FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import { setSecurityHeaders } from '../../../src/api/securityHeaders.ts';

/** The names and values of an answer's headers; the case of a name has no meaning. */
async function headersOf(prepare: (app: FastifyInstance) => unknown): Promise<IncomingHttpHeaders> {
  const app = Fastify();
  await prepare(app);
  app.get('/', async (_request, reply) => reply.header('date', 'today').send('an answer'));
  const [answer] = (await once(get(await app.listen()), 'response')) as [IncomingMessage];
  answer.resume();
  await app.close();
  return answer.headers;
}

test('the headers are those that helmet sets', async () => {
  const byHelmet = await headersOf((app) =>
    app.register(helmet, {
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
      crossOriginResourcePolicy: { policy: 'cross-origin' },
      strictTransportSecurity: false,
    }),
  );
  expect(byHelmet).toHaveProperty('x-content-type-options');
  expect(await headersOf(setSecurityHeaders)).toEqual(byHelmet);
});
