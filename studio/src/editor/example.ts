import { files, job } from 'virtual:example';
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
