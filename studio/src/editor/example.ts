import { files, job } from 'virtual:example';
import { send, upload } from '../api/call.ts';
import { fromJob } from '../storyboard/job.ts';
import type { Storyboard } from '../storyboard/storyboard.ts';
import { remember } from './uploads.ts';

/** Lets the page show the example's files from its own; they are sent when they are needed. */
export function rememberExampleFiles(): void {
  for (const [path, { url, sha256 }] of Object.entries(files)) {
    remember(sha256, { name: path.replace(/^.*\//, ''), url });
  }
}

/** The example, its files named by their digests. */
export function loadExample(): Storyboard {
  rememberExampleFiles();
  const assets = job.previewRequest.assets.map(({ path, ...asset }) => ({
    ...asset,
    upload: files[path]?.sha256 ?? '',
  }));
  return { ...fromJob({ previewRequest: { ...job.previewRequest, assets } }), rest: {} };
}

/** Sends the example's files, a few at a time. @param onProgress told how many of them are there */
export async function sendExampleFiles(onProgress: (sent: number, of: number) => void): Promise<void> {
  const all = Object.values(files).map(({ url }) => url);
  const waiting = [...all];
  let sent = 0;
  const work = async (): Promise<void> => {
    for (let url = waiting.shift(); url !== undefined; url = waiting.shift()) {
      await upload(await (await send(url)).blob(), () => undefined);
      onProgress(++sent, all.length);
    }
  };
  onProgress(0, all.length);
  await Promise.all([work(), work(), work()]);
}
