import type { PreviewJob, PreviewRequest } from '../../src/job/previewJob.types.ts';

/** A small job; `request` is laid over its previewRequest. */
export function smallJob(
  jobId: string,
  request: Partial<PreviewRequest> = {},
  rest: Partial<PreviewJob> = {},
): PreviewJob {
  return {
    jobId,
    projectId: 'tests',
    requestId: `request-${jobId}`,
    dryRun: false,
    previewRequest: {
      title: `Preview ${jobId}`,
      steps: [],
      assets: [],
      audio: {},
      options: { resolution: '320x180', fps: 10 },
      ...request,
    },
    ...rest,
  };
}
