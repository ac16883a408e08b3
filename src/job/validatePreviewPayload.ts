import { Ajv } from 'ajv';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import type { InputError } from '../errors.ts';
import { checkFocus, checkResolution, checkTransitions } from './checks/picture.ts';
import { checkReferences, checkUniqueIds, checkVideoSound } from './checks/references.ts';
import { checkDataUrls, checkPaths, checkUrls } from './checks/sources.ts';
import { checkWords } from './checks/words.ts';
import { checkParsedJson, copyJson } from './copyJson.ts';
import { describeSchemaErrors } from './describeSchemaErrors.ts';
import type { PreviewJob } from './previewJob.types.ts';
import { loadPreviewJobSchema } from './previewJobSchema.ts';

export type Validation = { ok: true; job: PreviewJob } | { ok: false; errors: InputError[] };

// strictRequired would refuse the branches of a oneOf, which require what their parent defines.
const matchesSchema = new Ajv({ allErrors: true, verbose: true, strict: true, strictRequired: false })
  .addFormat('date-time', fullFormats['date-time'])
  .compile<PreviewJob>(loadPreviewJobSchema());

/** What a schema cannot say. Each check takes a job that matches the schema. */
const checks: readonly ((job: PreviewJob) => InputError[])[] = [
  checkUniqueIds,
  checkReferences,
  checkVideoSound,
  checkUrls,
  checkDataUrls,
  checkPaths,
  checkResolution,
  checkFocus,
  checkTransitions,
  checkWords,
];

/**
 * Decides whether a payload is a job. Never throws, whatever it is given.
 *
 * The job that it returns is a deep copy that shares nothing with the payload, so that it stays valid whatever
 * the sender does with the payload afterwards. Defaults are not filled in: a job that says `fps: 30` and one
 * that leaves it out stay what their senders wrote.
 * @returns the job, or every mistake with a JSON pointer (RFC 6901) to it; mistakes of the second kind
 *   (an unknown asset id, an odd side) are looked for when the payload matches the schema
 */
export function validatePreviewPayload(payload: unknown): Validation {
  return validate(copyJson(payload));
}

/** The same for a payload that `JSON.parse` has made and that the caller has alone: the job is the payload itself. */
export function validateParsedPayload(payload: unknown): Validation {
  return validate(checkParsedJson(payload));
}

function validate(json: ReturnType<typeof copyJson>): Validation {
  if (!json.ok) return { ok: false, errors: [json.error] };
  const { value } = json;
  if (!matchesSchema(value)) return { ok: false, errors: describeSchemaErrors(matchesSchema.errors ?? []) };
  const errors = checks.flatMap((check) => check(value));
  return errors.length === 0 ? { ok: true, job: value } : { ok: false, errors };
}
