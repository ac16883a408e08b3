import { createHash } from 'node:crypto';
import type { PreviewJob } from '../src/job/previewJob.types.ts';
import { pick, sleep } from './random.ts';

/** What the senders know. */
export interface Load {
  /** Jobs that an API process has answered with 200 or 202. */
  accepted: Set<string>;
  refused: number;
  /** Completed jobs whose every artifact was downloaded and had the right bytes. */
  checked: Set<string>;
  /** What was visible although it was not whole. */
  partial: string[];
}

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/** A job of a second or so; every one has words of its own, so that its segments have to be made. */
export function chaosJob(index: number, seed: number, webhookUrl: string): PreviewJob {
  const steps = Array.from({ length: 16 }, (_, step) => ({
    title: `Step ${step + 1} of job ${index}`,
    text: `Words of run ${seed}.`,
    durationSeconds: 1,
    transition: { type: 'fade' as const, durationSeconds: 0.5 },
  }));
  return {
    jobId: `chaos-${index}`,
    projectId: 'chaos',
    requestId: `chaos-${seed}-${index}`,
    dryRun: false,
    webhook: { url: webhookUrl },
    previewRequest: {
      title: `Job ${index}`,
      steps,
      assets: [],
      audio: {},
      options: { resolution: '640x360', fps: 30 },
    },
  };
}

/** Undefined where nobody answers, which is what is to be expected here. */
export async function ask(
  urls: readonly string[],
  path: string,
  init: RequestInit = {},
): Promise<Answer | undefined> {
  try {
    const url = `${pick(urls, Math.random)}${path}`;
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  } catch {
    return undefined;
  }
}

/** How the events of a job say that it ended; undefined where nobody answers, or they do not say. */
export async function endEvent(urls: readonly string[], jobId: string): Promise<string | undefined> {
  try {
    const url = `${pick(urls, Math.random)}/api/preview/job/${jobId}/events`;
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    const [, data] = /^event: end\ndata: (.*)$/m.exec(await response.text()) ?? [];
    return data && (JSON.parse(data) as { status: string }).status;
  } catch {
    return undefined;
  }
}

/** Sends the job until somebody has taken it, as a sender would who must not lose it. */
export async function send(
  load: Load,
  urls: readonly string[],
  job: PreviewJob,
  until: number,
): Promise<void> {
  while (Date.now() < until) {
    const answer = await ask(urls, '/api/preview/job', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(job),
    });
    if (answer?.status === 202 || answer?.status === 200) {
      load.accepted.add(job.jobId);
      return;
    }
    if (answer) load.refused++;
    if (answer && ![429, 500, 503].includes(answer.status)) {
      throw new Error(`${job.jobId} was answered with ${JSON.stringify(answer)}`);
    }
    await sleep(300);
  }
}

/** Downloads all artifacts of a job that is called completed, and compares their bytes with their digests. */
export async function checkArtifacts(load: Load, urls: readonly string[], jobId: string): Promise<void> {
  const status = await ask(urls, `/api/preview/job/${jobId}/status`);
  if (status?.status !== 200 || status.body.status !== 'completed') return;
  const listed = await ask(urls, `/api/preview/job/${jobId}/artifact`);
  if (!listed || listed.status >= 500) return;
  const artifacts = (listed.body.artifacts ?? []) as {
    name: string;
    url: string;
    bytes: number;
    sha256: string;
  }[];
  if (artifacts.length === 0) load.partial.push(`${jobId} has no artifacts: ${JSON.stringify(listed.body)}`);
  for (const { name, url, bytes, sha256 } of artifacts) {
    const problem = await download(urls, url, bytes, sha256);
    if (problem === 'unreachable') return;
    if (problem) load.partial.push(`${jobId} ${name}: ${problem}`);
  }
  load.checked.add(jobId);
}

async function download(
  urls: readonly string[],
  path: string,
  bytes: number,
  sha256: string,
): Promise<string | undefined> {
  try {
    const response = await fetch(`${pick(urls, Math.random)}${path}`, {
      signal: AbortSignal.timeout(10_000),
    });
    if (response.status >= 500) return 'unreachable';
    const body = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) return `answered with ${response.status}`;
    const digest = createHash('sha256').update(body).digest('hex');
    return body.length === bytes && digest === sha256
      ? undefined
      : `${body.length} of ${bytes} bytes, ${digest}`;
  } catch {
    return 'unreachable';
  }
}
