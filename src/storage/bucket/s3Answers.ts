import { PreviewError } from '../../errors.ts';

/** @returns what S3 answers; undefined if the key does not exist @throws PreviewError `store_unavailable` */
export async function found<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket') return undefined;
    throw unavailable(error);
  }
}

/** @throws PreviewError `store_unavailable` where S3 cannot be reached, or does not do as it is asked */
export async function reached<Answer>(call: Promise<Answer>): Promise<Answer> {
  try {
    return await call;
  } catch (error) {
    throw unavailable(error);
  }
}

/** The SDK's errors contain whole requests with their signatures. This keeps only what may be in a log. */
export function unavailable(thrown: unknown): PreviewError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PreviewError(
    'store_unavailable',
    `The store cannot be used (${nameOf(thrown)}); check STORE_URL, the bucket and its rights. Nothing was kept.`,
    { cause: new Error(`${nameOf(thrown)} (status ${statusOf(thrown) ?? 'none'}): ${message}`) },
  );
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'Error');

export const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
