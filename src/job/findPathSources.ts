import type { InputError } from '../errors.ts';
import type { PreviewJob } from './previewJob.types.ts';

/**
 * The assets that are files of the sender's machine. The command line reads them below the folder of the job
 * file; for every other way in they are errors, because a service must never open a path that a stranger names.
 */
export function findPathSources(job: PreviewJob): InputError[] {
  return job.previewRequest.assets.flatMap((asset, index) =>
    asset.path === undefined
      ? []
      : [
          {
            pointer: `/previewRequest/assets/${index}/path`,
            message:
              'is read by the command line only; upload the file with POST /api/assets and use the digest as "upload"',
          },
        ],
  );
}
