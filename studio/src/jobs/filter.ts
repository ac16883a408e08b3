import type { JobState, ListedJob } from '../api/types.ts';

/** Which jobs are listed. The filter is part of the address. */
export interface Filter {
  group: GroupName;
  priority: string;
  words: string;
  /** Whether to list previews that a newer one has replaced. */
  superseded: boolean;
}

export type GroupName = 'all' | 'active' | 'completed' | 'failed' | 'cancelled';

export const GROUPS: Record<GroupName, { label: string; states: readonly JobState[] }> = {
  all: { label: 'All', states: [] },
  active: { label: 'Active', states: ['queued', 'rendering', 'retrying'] },
  completed: { label: 'Completed', states: ['completed'] },
  failed: { label: 'Failed', states: ['failed'] },
  cancelled: { label: 'Cancelled', states: ['cancelled'] },
};

export function readFilter(query: URLSearchParams): Filter {
  const group = query.get('status') ?? 'all';
  return {
    group: group in GROUPS ? (group as GroupName) : 'all',
    priority: query.get('priority') ?? '',
    words: query.get('q') ?? '',
    superseded: query.get('superseded') === '1',
  };
}

/** The filter as the API takes it. */
export function apiQuery({ group, priority, words }: Filter, cursor?: string): string {
  const { states } = GROUPS[group];
  const query = new URLSearchParams({
    ...(states.length > 0 ? { status: states.join(',') } : {}),
    ...(priority ? { priority } : {}),
    ...(words.trim() ? { q: words.trim() } : {}),
    ...(cursor === undefined ? {} : { cursor }),
  });
  return query.size > 0 ? `?${query}` : '';
}

/** Whether a reported job belongs into the list, by the same rules as in the API. */
export function matches(job: ListedJob, { group, priority, words, superseded }: Filter): boolean {
  const { states } = GROUPS[group];
  if (states.length > 0 && !states.includes(job.status)) return false;
  if (!superseded && job.error?.code === 'superseded') return false;
  if (priority && (job.priority ?? 'normal') !== priority) return false;
  const wanted = words.trim().toLowerCase();
  return [job.jobId, job.requestId, job.title ?? ''].some((text) => text.toLowerCase().includes(wanted));
}

/** The last accepted first. */
export const newestFirst = (jobs: Iterable<ListedJob>): ListedJob[] =>
  [...jobs].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
