import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { generateTypes } from '../../../scripts/generate-types.ts';

interface Definition {
  title?: string;
  description?: string;
  type?: string;
  additionalProperties?: boolean;
  pattern?: string;
  properties?: Record<string, { title?: string; description?: string }>;
}

const schema: Definition & { definitions: Record<string, Definition> } = JSON.parse(
  readFileSync(new URL('../../../schemas/preview-job.schema.json', import.meta.url), 'utf8'),
);
const definitions = Object.entries({ PreviewJob: schema, ...schema.definitions });

test('the generated types are those of the schema; npm run generate:types brings them up to date', async () => {
  const committed = readFileSync(new URL('../../../src/job/previewJob.types.ts', import.meta.url), 'utf8');
  expect(committed).toBe(await generateTypes());
});

test('the schema is valid draft-07', () => {
  expect(new Ajv().validateSchema(schema)).toBe(true);
});

describe('every object', () => {
  test.each(definitions.filter(([, { type }]) => type === 'object'))(
    '%s refuses unknown properties, unless it is free-form',
    (name, definition) => {
      expect(definition.additionalProperties).toBe(name === 'Metadata');
    },
  );
});

describe('every property has a title and a description', () => {
  const properties = definitions.flatMap(([name, { properties = {} }]) =>
    Object.entries(properties).map(([property, value]) => [`${name}.${property}`, value] as const),
  );
  test.each(properties)('%s', (_name, { title, description }) => {
    expect(title).toMatch(/^[A-Z]/);
    expect(description).toMatch(/\.$/);
  });
});

test('every pattern is described in words that fit after "must be"', () => {
  for (const [name, { pattern, description }] of definitions) {
    if (pattern !== undefined) expect(description, name).toMatch(/^(An? |[0-9A-Z]+)/);
  }
});
