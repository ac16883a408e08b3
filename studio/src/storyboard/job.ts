import type { Asset } from '../../../src/job/previewJob.types.ts';
import { usesOf } from './files.ts';
import { type Card, EMPTY, newKey, type Storyboard, withoutEmpty } from './storyboard.ts';

/** What a job says besides its storyboard. */
export interface JobHead {
  jobId: string;
  projectId: string;
  requestId: string;
  priority?: string | undefined;
  supersedes?: string | undefined;
}

/** A job as it is sent. It may contain mistakes; the API reports them with their place. */
export interface OutgoingJob extends Record<string, unknown> {
  jobId: string;
  previewRequest: { steps: object[]; assets: { id: string }[]; audio: object } & Record<string, unknown>;
}

/** The job of a storyboard, with only the assets that it uses. */
export function toJob(board: Storyboard, head: JobHead): OutgoingJob {
  const used = usesOf(board);
  const { priority, webhook, ...request } = board.rest;
  const options = withoutEmpty({ ...board.options });
  return withoutEmpty({
    ...{ jobId: head.jobId, projectId: head.projectId, requestId: head.requestId, dryRun: false },
    priority: head.priority ?? priority,
    webhook,
    supersedes: head.supersedes,
    previewRequest: withoutEmpty({
      title: board.title,
      description: board.description,
      ...request,
      steps: board.cards.map(({ step }) => withoutEmpty({ ...step })),
      assets: board.assets.filter(({ id }) => used.has(id)),
      audio: withoutEmpty({ ...board.audio }),
      options: Object.keys(options).length > 0 ? options : undefined,
    }),
  }) as OutgoingJob;
}

/** Says in words why a file is no job. */
export class NotAJob extends Error {}

/**
 * The storyboard of a job's JSON. Only what the page cannot show at all is refused here. The API reports all other mistakes
 * at their fields.
 * @throws NotAJob
 */
export function fromJob(json: unknown): Storyboard {
  if (!isObject(json)) throw new NotAJob('The file has no JSON object.');
  const request = json.previewRequest;
  if (!isObject(request)) {
    throw new NotAJob(
      'The file is not a job: it has no "previewRequest". Choose an exported job, or see docs/job.md.',
    );
  }
  const { steps = [], assets = [], audio, options, title, description, chapterId, metadata } = request;
  if (!Array.isArray(steps) || !steps.every(isObject)) throw new NotAJob('"steps" is no list of steps.');
  if (!Array.isArray(assets) || !assets.every(isObject)) throw new NotAJob('"assets" is no list of assets.');
  const text = (value: unknown): string => (value === undefined ? '' : String(value));
  return {
    ...EMPTY,
    title: text(title),
    description: text(description),
    cards: steps.map((step): Card => ({ key: newKey(), step })),
    assets: assets as unknown as Asset[],
    audio: isObject(audio) ? audio : {},
    options: isObject(options) ? options : {},
    rest: withoutEmpty({
      chapterId,
      metadata,
      webhook: json.webhook,
      priority: json.priority,
    }) as Storyboard['rest'],
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
