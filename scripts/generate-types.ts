/**
 * Writes src/job/previewJob.types.ts from schemas/preview-job.schema.json.
 *
 *   npm run generate:types                writes the file
 *   npm run generate:types -- --check     exits 1 where the file differs from the schema
 */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { compile } from 'json-schema-to-typescript';

type JsonObject = Record<string, unknown>;

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
 * The schema as the compiler needs it. It would name a type after every title, so titles go; it would write a
 * reference with a description of its own (`allOf` with one `$ref`) as `Id & string`, so a reference becomes the
 * name of its definition; and `oneOf` would make `Asset` a union of four near-equal shapes, so that rule is left
 * to the validator.
 */
function forTypes(schema: JsonObject): JsonObject {
  const { title: _title, $id: _id, oneOf: _oneOf, allOf, $ref, ...rest } = schema;
  const reference = Array.isArray(allOf) ? (allOf[0] as JsonObject).$ref : $ref;
  const result: JsonObject = rest;
  if (typeof reference === 'string') result.tsType = reference.replace('#/definitions/', '');
  for (const names of ['properties', 'definitions']) {
    const named = rest[names];
    if (isObject(named))
      result[names] = mapValues(named, (value) => (isObject(value) ? forTypes(value) : value));
  }
  if (isObject(rest.items)) result.items = forTypes(rest.items);
  return result;
}

function mapValues(object: JsonObject, change: (value: unknown) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
