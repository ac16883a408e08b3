import { createPostgresBackend } from 'bullmq';

type CreateBackend = typeof createPostgresBackend;

/**
 * BullMQ finds workers by the names of their connections. The embedded database has one connection for all, and the
 * worker that was named last would be the only one, so the names are kept here instead.
 */
export function createEmbeddedBackends(): CreateBackend {
  const names = new Map<object, string>();
  return (...parameters) => {
    const backend = createPostgresBackend(...parameters);
    const close = backend.close.bind(backend);
    return Object.assign(backend, {
      async setName(name: string): Promise<void> {
        names.set(backend, name);
      },
      async getClientList(): Promise<string[]> {
        return [[...names.values()].map((name) => `name=${name}`).join('\n')];
      },
      close(force?: boolean): Promise<void> {
        names.delete(backend);
        return close(force);
      },
    });
  };
}
