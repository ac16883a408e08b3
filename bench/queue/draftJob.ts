import type { PreviewJob } from '../../src/job/previewJob.types.ts';

/** A job as a product sends it while an author types: three steps of words. */
export function draftJob(projectId: string, jobId: string): PreviewJob {
  return {
    jobId,
    projectId,
    requestId: `request-${jobId}`,
    dryRun: false,
    previewRequest: {
      title: 'How to fold a paper crane',
      steps: [
        { title: 'Take a square sheet', text: 'Any paper will do that holds a fold.' },
        { title: 'Fold it twice', text: 'Corner to corner, and once more the other way.' },
        {
          title: 'Turn it over',
          text: 'The folds now point away from you.',
          transition: { type: 'fade', durationSeconds: 0.5 },
        },
      ],
      assets: [],
      audio: {},
    },
  };
}
