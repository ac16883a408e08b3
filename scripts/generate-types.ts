/**
 * Writes src/job/previewJob.types.ts from schemas/preview-job.schema.json.
 *
 *   npm run generate:types                writes the file
 *   npm run generate:types -- --check     exits 1 where the file differs from the schema
 */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { compile } from 'json-schema-to-typescript';

type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

const schemaFile = new URL('../schemas/preview-job.schema.json', import.meta.url);
const typesFile = new URL('../src/job/previewJob.types.ts', import.meta.url);

const BANNER =
  '// Generated from schemas/preview-job.schema.json by scripts/generate-types.ts. Change the schema instead.';

/** The text that `src/job/previewJob.types.ts` must have. */
export async function generateTypes(): Promise<string> {
  const schema = JSON.parse(await readFile(schemaFile, 'utf8'));
  const code = await compile({ ...forTypes(schema), title: 'PreviewJob' }, 'PreviewJob', {
    bannerComment: BANNER,
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
    unknownAny: true,
    unreachableDefinitions: true,
    style: { singleQuote: true, printWidth: 110 },
  });
  return code.replace(REACHED_BY, '');
}

/** What the compiler appends to the comment of each definition; it tells a reader nothing. */
const REACHED_BY =
  / \*\n \* This interface was referenced by `PreviewJob`'s JSON-Schema\n \* via the `definition` "\w+"\.\n/g;

/**
 * The schema as the compiler needs it. It would name a type after every title, so titles go; it would inline a
 * `$ref` that has a description beside it, so such a reference becomes the name of the definition; and `oneOf`
 * would make `Asset` a union of four near-equal shapes, so that rule is left to the validator.
 */
function forTypes(schema: JsonValue, isNameMap = false): Record<string, JsonValue> {
  const result: Record<string, JsonValue> = {};
  for (const [key, value] of Object.entries(schema ?? {})) {
    if (!isNameMap && ['title', '$id', 'oneOf'].includes(key)) continue;
    if (!isNameMap && key === '$ref') {
      result.tsType = String(value).replace('#/definitions/', '');
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      result[key] = forTypes(value, key === 'properties' || key === 'definitions');
    } else {
      result[key] = value;
    }
  }
  return result;
}

async function main(args: readonly string[]): Promise<number> {
  const wanted = await generateTypes();
  if (!args.includes('--check')) {
    await writeFile(typesFile, wanted);
    return 0;
  }
  if ((await readFile(typesFile, 'utf8')) === wanted) return 0;
  console.error('src/job/previewJob.types.ts is out of date: run npm run generate:types');
  return 1;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  process.exitCode = await main(process.argv.slice(2));
}
