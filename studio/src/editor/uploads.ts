import { batch, signal } from '@preact/signals';
import { createSemaphore } from '../../../src/concurrency/semaphore.ts';
import type { Asset } from '../../../src/job/previewJob.types.ts';
import { upload } from '../api/call.ts';
import { withPatience } from '../api/patience.ts';
import { Problem } from '../api/problem.ts';
import { isToken, settleFile, tokenOf, type Use } from '../storyboard/files.ts';
import { tell } from '../ui/announce.tsx';
import { kindFor, LOST, mayPassLater, reasonOf, refusalOf, wrongKind } from './fileReasons.ts';
import { randomId } from './randomId.ts';
import { correct } from './session.ts';

/* Files are identified by the `upload` of their asset: a token until they are sent, then their digest. */

/** A file that is on its way to the service. */
export interface Upload {
  key: string;
  name: string;
  /** 0 to 1. */
  share: number;
  /** Whether it takes so long that the preview does not wait for it. */
  isSlow: boolean;
}

/** A file that cannot be used. */
export interface Failure {
  name: string;
  reason: string;
  /** Whether the page still has it and the service may accept it later. */
  mayRetry: boolean;
}

/** What is known of a file here and now. */
export interface LocalFile {
  name: string;
  /** Where the page itself can show or play it. */
  url?: string;
  blob?: Blob;
}

export const uploads = signal<readonly Upload[]>([]);
export const failures = signal<ReadonlyMap<string, Failure>>(new Map());
export const localFiles = signal<ReadonlyMap<string, LocalFile>>(new Map());

/** How long the preview waits for a file. Most have arrived by then and are part of the first picture. */
const SLOW_MS = 2000;

let mostBytes = Number.POSITIVE_INFINITY;
export const limitUploads = (bytes: number): void => {
  mostBytes = bytes;
};

export const remember = (key: string, file: LocalFile): void => {
  localFiles.value = new Map(localFiles.value).set(key, file);
};

/** Shows a file at once while it is being sent. @returns the token that stands for it until its digest is known */
export function addFile(file: File, use: Use): string {
  const token = tokenOf(randomId());
  remember(token, { name: file.name, url: URL.createObjectURL(file), blob: file });
  const reason = refusalOf(file, use, mostBytes);
  if (reason === undefined) void sendFile(token, use);
  else fail(token, { name: file.name, reason, mayRetry: false });
  return token;
}

/** Sends a file, for the first time or again. */
export async function sendFile(token: string, use: Use): Promise<void> {
  const file = localFiles.peek().get(token);
  if (!file?.blob) return;
  const { name, blob } = file;
  const show = (change: Partial<Upload>): void => {
    const before = uploads.peek().find(({ key }) => key === token);
    const now = { key: token, name, share: 0, isSlow: false, ...before, ...change };
    uploads.value = [...withoutKey(token), now];
  };
  batch(() => {
    forgive(token);
    show({});
  });
  const timer = setTimeout(() => show({ isSlow: true }), SLOW_MS);
  try {
    const { sha256, mediaType } = await withPatience(() => sendBytes(blob, (share) => show({ share })));
    const type = kindFor(use, mediaType);
    if (!type) {
      fail(token, { name, reason: wrongKind(mediaType, use), mayRetry: false });
      return;
    }
    batch(() => {
      uploads.value = withoutKey(token);
      remember(sha256, file);
      forgive(sha256);
      correct((board) => settleFile(board, token, { sha256, type }));
    });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    fail(token, { name, reason: reasonOf(error, use), mayRetry: mayPassLater(error) });
  } finally {
    clearTimeout(timer);
  }
}

const withoutKey = (token: string): Upload[] => uploads.peek().filter(({ key }) => key !== token);

/** Few, so that jobs and their previews find a free connection beside them: a browser has six to a host. */
const inTurn = createSemaphore(3);

/** Tells whether the service or the file is gone, for which browsers report the same error. @throws Problem */
async function sendBytes(...args: Parameters<typeof upload>): ReturnType<typeof upload> {
  try {
    return await inTurn(() => upload(...args));
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 0) throw error;
    await args[0]
      .slice(0, 1)
      .arrayBuffer()
      .catch(() => {
        const detail = 'The file was changed, moved or deleted. Choose it again.';
        throw new Problem(400, { code: 'invalid_request', detail });
      });
    throw error;
  }
}

/** Notes that a file cannot be used, and says so. */
export function fail(key: string, failure: Failure): void {
  batch(() => {
    uploads.value = withoutKey(key);
    failures.value = new Map(failures.peek()).set(key, failure);
  });
  tell(`${failure.name}: ${failure.reason}`);
}

function forgive(key: string): void {
  const others = new Map(failures.peek());
  if (others.delete(key)) failures.value = others;
}

/** Why an asset's file is not in the preview; undefined if it is, or while it is being sent. */
export function failureOf(asset: Asset | undefined): Failure | undefined {
  const key = asset?.upload;
  if (asset === undefined || key === undefined) return undefined;
  const known = failures.value.get(key);
  if (known || !isToken(key) || uploads.value.some((one) => one.key === key)) return known;
  return { name: nameOf(asset), reason: LOST, mayRetry: false };
}

/** What is kept of a file until the page is opened again. */
export interface KeptFile {
  name: string;
  /** Why it cannot be used. */
  reason?: string | undefined;
}

/** Restores files that were kept. The service knows what became of a digest. @param files anything; only files are restored */
export function recall(files: Record<string, Partial<KeptFile> | null>): void {
  for (const [key, file] of Object.entries(files)) {
    const { name, reason } = file ?? {};
    if (typeof name !== 'string' || localFiles.peek().has(key)) continue;
    remember(key, { name });
    if (typeof reason !== 'string' || !isToken(key)) continue;
    failures.value = new Map(failures.peek()).set(key, { name, reason, mayRetry: false });
  }
}

/** Whether a job must leave out an asset's file, for now or for good. */
export const isMissing = ({ upload: key }: Asset): boolean => isToken(key) || failures.peek().has(key ?? '');

export const nameOf = ({ id, upload: key }: Asset): string => localFiles.value.get(key ?? '')?.name ?? id;

/** The address under which the page itself can show or play an asset. */
export const addressOf = (asset: Asset | undefined): string | undefined =>
  localFiles.value.get(asset?.upload ?? '')?.url;
