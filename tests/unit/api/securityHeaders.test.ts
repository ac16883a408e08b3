import { once } from 'node:events';
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import helmet from '@fastify/helmet';
import Fastify, { type FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import { setPageHeaders, setSecurityHeaders } from '../../../src/api/http/securityHeaders.ts';

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

test('the headers of a page are those that helmet sets, and those of data some of them', async () => {
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
  const ofPages = await headersOf((app) => {
    setSecurityHeaders(app);
    setPageHeaders(app);
  });
  expect(ofPages).toEqual(byHelmet);
  const ofData = await headersOf(setSecurityHeaders);
  expect(byHelmet).toMatchObject(ofData);
  expect(ofData).toMatchObject({
    'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'SAMEORIGIN',
    'referrer-policy': 'no-referrer',
  });
});
