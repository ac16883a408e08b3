import { catalogue, type ErrorCode, PreviewError } from '../errors.ts';
import type { DeadLetters } from '../worker/deadLetters/deadLetters.ts';
import type { JobRef } from '../worker/previewWorkerClient.ts';

/** The dead letters of a running service. @throws PreviewError what the service answers, `queue_unavailable` where it does not */
export function deadLettersOverHttp(url: string, apiKey: string | undefined): DeadLetters {
  const call = async (method: string, path: string): Promise<{ status: number; body: unknown }> => {
    const headers = apiKey === undefined ? undefined : { authorization: `Bearer ${apiKey}` };
    const address = `${url}/api/preview/dead-letter${path}`;
    const response = await fetch(address, { method, ...(headers ? { headers } : {}) }).catch((cause) => {
      const message = `The service that uses this queue does not answer at ${url}; set HOST and PORT to its address.`;
      throw new PreviewError('queue_unavailable', message, { cause });
    });
    const text = await response.text();
    const body = text === '' ? undefined : JSON.parse(text);
    if (!response.ok) throw problemOf(body);
    return { status: response.status, body };
  };
  const pathOf = ({ jobId, projectId }: JobRef, verb = ''): string =>
    `/${encodeURIComponent(jobId)}${verb}${queryOf({ projectId })}`;

  return {
    async list({ projectId, limit } = {}) {
      const { body } = await call('GET', queryOf({ projectId, limit }));
      return body as Awaited<ReturnType<DeadLetters['list']>>;
    },
    async get(ref) {
      const { body } = await call('GET', pathOf(ref));
      return body as Awaited<ReturnType<DeadLetters['get']>>;
    },
    async replay(ref) {
      const { status, body } = await call('POST', pathOf(ref, '/replay'));
      const sent = { outcome: status === 202 ? 'accepted' : 'existing', status: body };
      return sent as Awaited<ReturnType<DeadLetters['replay']>>;
    },
    async discard(ref) {
      await call('DELETE', pathOf(ref));
    },
  };
}

function queryOf(parameters: Record<string, string | number | undefined>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return query === '' ? '' : `?${query}`;
}

/** The error of a problem document. */
function problemOf(body: unknown): PreviewError {
  const { code, detail, errors } = (body ?? {}) as { code?: string; detail?: string; errors?: [] };
  const known = code !== undefined && code in catalogue ? (code as ErrorCode) : 'internal';
  return new PreviewError(known, detail, errors ? { errors } : {});
}
