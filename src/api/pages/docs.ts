import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { packageVersion } from '../../version.ts';
import { setPageHeaders } from '../http/securityHeaders.ts';
import { jobComponents } from '../jobs/jobSchemas.ts';

/** `/openapi.json` and `/docs`, generated from the schemas of the routes. Await it before adding routes. */
export async function documentApi(app: FastifyInstance, { hasKeys }: { hasKeys: boolean }): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Preview Worker',
        description: 'Renders storyboards as video previews.',
        version: packageVersion,
      },
      tags: [
        { name: 'jobs', description: 'Send a job, follow it, and get its artifacts' },
        { name: 'assets', description: 'Upload the files that a job shows and plays' },
        { name: 'artifacts', description: 'Download artifacts' },
        { name: 'operations', description: 'For those who run the service' },
      ],
      components: {
        schemas: jobComponents,
        ...(hasKeys ? { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } } : {}),
      },
      ...(hasKeys ? { security: [{ apiKey: [] }] } : {}),
    },
  });
  await app.register(async (pages) => {
    setPageHeaders(pages);
    await pages.register(swaggerUi, {
      routePrefix: '/docs',
      // Without it, the page would send our OpenAPI document to a public validator.
      uiConfig: { tryItOutEnabled: true, validatorUrl: null },
      // Swagger UI sets styles inline. Nothing is loaded from elsewhere, and nothing is upgraded to HTTPS: whether there
      // is TLS in front of the service is not known here.
      staticCSP: {
        'default-src': ["'self'"],
        'style-src': ["'self'", "'unsafe-inline'"],
        'img-src': ["'self'", 'data:'],
        'base-uri': ["'self'"],
        'object-src': ["'none'"],
        'frame-ancestors': ["'self'"],
      },
    });
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}
