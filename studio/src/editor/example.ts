import { files, job } from 'virtual:example';
import { send, upload } from '../api/call.ts';
import { fromJob } from '../storyboard/job.ts';
import type { Storyboard } from '../storyboard/storyboard.ts';
import { remember } from './uploads.ts';

/** The example, its files named by their digests. They are shown from the page's own files, and sent when needed. */
export function loadExample(): Storyboard {
  const assets = job.previewRequest.assets.map(({ path, ...asset }) => {
    const { url = '', sha256 = '' } = files[path] ?? {};
    remember(sha256, { name: path.replace(/^.*\//, ''), url });
    return { ...asset, upload: sha256 };
  });
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
