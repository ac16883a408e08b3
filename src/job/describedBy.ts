import type { JobRecord } from './jobRecord.ts';
import type { PreviewJob } from './previewJob.types.ts';

/** What the record of a job keeps besides its ids. Other programs may have put anything into the queue. */
export function describedBy(job: Partial<PreviewJob> | undefined): Pick<JobRecord, 'title' | 'priority'> {
  const described: Pick<JobRecord, 'title' | 'priority'> = {};
  const { title } = job?.previewRequest ?? {};
  if (typeof title === 'string') described.title = title;
  const priority = PRIORITIES.find((known) => known === job?.priority);
  if (priority) described.priority = priority;
  return described;
}

const PRIORITIES = ['low', 'normal', 'high'] as const;
