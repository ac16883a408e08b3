import { readFileSync } from 'node:fs';

/**
 * The JSON Schema of a job (draft-07), as the package ships it: the validator compiles it and the API publishes
 * it. It is read from its file because an `import` of JSON still prints a warning on Node 20.
 */
export function loadPreviewJobSchema(): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL('../../schemas/preview-job.schema.json', import.meta.url), 'utf8'));
}
