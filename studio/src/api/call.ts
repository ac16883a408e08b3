import { signal } from '@preact/signals';
import { Problem, type ProblemDocument } from './problem.ts';

const KEY = 'preview-studio-key';

/** The API key; kept until the browser's tab is closed, and nowhere else. */
export const apiKey = signal(sessionStorage.getItem(KEY) ?? '');
/** Whether the service asks for a key that it accepts. */
export const keyWanted = signal(false);

export function setApiKey(key: string): void {
  if (key) sessionStorage.setItem(KEY, key);
  else sessionStorage.removeItem(KEY);
  apiKey.value = key;
  keyWanted.value = false;
}

const UNREACHABLE = {
  code: 'unreachable',
  detail: 'The service does not answer. Check that it runs and that you are connected.',
};

export const authorization = (): Record<string, string> =>
  apiKey.value ? { authorization: `Bearer ${apiKey.value}` } : {};

/** Sends a request with the key. @throws Problem */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...authorization(), ...(init.headers as Record<string, string> | undefined) };
  const response = await fetch(path, { ...init, headers }).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw new Problem(0, UNREACHABLE);
  });
  if (response.ok) return response;
  throw await readProblem(response);
}

async function readProblem(response: Response): Promise<Problem> {
  const document = await response.json().catch(() => ({}));
  return refusal(response.status, document, response.headers.get('retry-after'));
}

function refusal(status: number, document: Partial<ProblemDocument>, retryAfter: string | null): Problem {
  const wait = Number(retryAfter);
  if (status === 401) keyWanted.value = true;
  return new Problem(status, document, wait > 0 ? wait : undefined);
}

/** GET, or with a body POST; the answer is JSON. @throws Problem */
export async function call<Answer>(
  path: string,
  { body, method, signal }: { body?: unknown; method?: string; signal?: AbortSignal } = {},
): Promise<Answer> {
  const response = await send(path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    ...(signal ? { signal } : {}),
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

/** Uploads a file with XMLHttpRequest, which reports progress; fetch does not. @throws Problem */
export function upload(
  file: Blob,
  onProgress: (share: number) => void,
): Promise<{ sha256: string; bytes: number; mediaType: string }> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/api/assets');
    request.responseType = 'json';
    const headers = { ...authorization(), 'content-type': 'application/octet-stream' };
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onerror = () => reject(new Problem(0, UNREACHABLE));
    request.onload = () => {
      // What stands before a service may answer with a page of its own.
      if (request.status < 300 && request.response?.sha256) resolve(request.response);
      else reject(refusal(request.status, request.response ?? {}, request.getResponseHeader('retry-after')));
    };
    request.send(file);
  });
}

/** What went wrong, for a person. */
export const wordsOf = (error: unknown): string =>
  error instanceof Error ? error.message : 'Something went wrong.';
