import { effect } from '@preact/signals';
import { atOnce } from '../../../src/concurrency/atOnce.ts';
import type { Asset } from '../../../src/job/previewJob.types.ts';
import { call, send, upload } from '../api/call.ts';
import { Problem } from '../api/problem.ts';
import { type Use, usedFiles } from '../storyboard/files.ts';
import type { OutgoingJob } from '../storyboard/job.ts';
import { EMPTY, type Storyboard } from '../storyboard/storyboard.ts';
import { isAboutFile, reasonOf } from './fileReasons.ts';
import { fail, isMissing, localFiles, nameOf, uploads } from './uploads.ts';

/** Is called with how many of the awaited files have arrived. */
export type OnProgress = (done: number, of: number) => void;

export interface FileCheck {
  /** Waits for files that are about to arrive, and checks files that no job has named yet, as `explain` does. */
  prepare(board: () => Storyboard, onProgress: OnProgress): Promise<void>;
  /**
   * Finds out which files the service cannot use, and repairs what the page can. A file that cannot be used is noted with its
   * reason, and later jobs leave it out.
   * @returns whether anything was found
   * @throws Problem if the service does not answer
   */
  explain(board: Storyboard, onProgress: OnProgress): Promise<boolean>;
}

/** Few, so that the preview's own calls find a free connection: a browser has six to a host. */
const AT_ONCE = 3;

/** @param jobOf the job of a storyboard, without the files that cannot be used */
export function createFileCheck(jobOf: (board: Storyboard) => OutgoingJob): FileCheck {
  /** Digests of files that the service is known to have and to be able to use. Others are checked before a job names them. */
  const usable = new Set<string>();
  /** Digests that were sent again because they were missing. Sending them twice would not help. */
  const sentAgain = new Set<string>();

  /** Why the service cannot use a file of the storyboard; undefined if it can use all, or refuses something else. */
  const complaintAbout = async (board: Storyboard): Promise<Problem | undefined> => {
    try {
      await call('/api/preview/validate', { body: jobOf(board) });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (isAboutFile(error.code)) return error;
      if (error.code !== 'invalid_payload') throw error;
      return undefined;
    }
    for (const { digest } of sentFiles(board)) usable.add(digest);
    return undefined;
  };

  const explain: FileCheck['explain'] = async (board, onProgress) => {
    const complaint = await complaintAbout(board);
    if (!complaint) return false;
    const files = sentFiles(board);
    const own = files.filter(({ digest }) => isOwn(digest) && !sentAgain.has(digest));
    const lost = complaint.code === 'asset_missing' ? own : [];
    let done = 0;
    if (lost.length > 0) onProgress(done, lost.length);
    await atOnce(lost, AT_ONCE, async ({ digest }) => {
      await sendOwn(digest);
      sentAgain.add(digest);
      usable.add(digest);
      onProgress(++done, lost.length);
    });
    const suspects = files.filter((file) => !lost.includes(file));
    const found = await atOnce(suspects, AT_ONCE, async ({ asset, use, digest }) => {
      const problem = await complaintAbout(alone(asset, use));
      if (problem) fail(digest, { name: nameOf(asset), reason: reasonOf(problem, use), mayRetry: false });
      return problem !== undefined;
    });
    return lost.length > 0 || found.includes(true);
  };

  return {
    async prepare(board, onProgress) {
      await arrived(board, ({ isSlow }) => !isSlow, onProgress);
      if (sentFiles(board()).every(({ digest }) => usable.has(digest))) return;
      await explain(board(), onProgress);
    },
    explain,
  };
}

/** The files of a storyboard that the service should have. */
function sentFiles(board: Storyboard): { asset: Asset; use: Use; digest: string }[] {
  return usedFiles(board).flatMap(({ asset, use }) =>
    asset.upload === undefined || isMissing(asset) ? [] : [{ asset, use, digest: asset.upload }],
  );
}

/** A storyboard of one file. */
const alone = (asset: Asset, use: Use): Storyboard => ({
  ...EMPTY,
  cards: [
    {
      key: 'alone',
      step: use === 'picture' || use === 'logo' ? { asset: asset.id } : { narration: asset.id },
    },
  ],
  assets: [asset],
});

/** Whether the page has the bytes: they were chosen here, or came with it. */
function isOwn(digest: string): boolean {
  const file = localFiles.peek().get(digest);
  return file?.blob !== undefined || file?.url?.startsWith('/') === true;
}

async function sendOwn(digest: string): Promise<void> {
  const { blob, url = '' } = localFiles.peek().get(digest) ?? {};
  await upload(blob ?? (await (await send(url)).blob()), () => undefined);
}

/** Resolves when none of the files that the storyboard uses is being sent any more. @param board is read repeatedly */
export function arrived(
  board: () => Storyboard,
  isAwaited: (file: { isSlow: boolean }) => boolean = () => true,
  onProgress: OnProgress = () => undefined,
): Promise<void> {
  const awaited = (): number => {
    const used = new Set(usedFiles(board()).map(({ asset }) => asset.upload));
    return uploads.value.filter((file) => used.has(file.key) && isAwaited(file)).length;
  };
  let all = awaited();
  if (all === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = effect(() => {
      const left = awaited();
      all = Math.max(all, left);
      onProgress(all - left, all);
      if (left > 0) return;
      queueMicrotask(() => stop());
      resolve();
    });
  });
}
