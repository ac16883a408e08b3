import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { validatePreviewPayload } from '../../../src/job/validatePreviewPayload.ts';

interface Definition {
  allOf?: { $ref: string }[];
  enum?: string[];
  default?: unknown;
  required?: string[];
  properties?: Record<string, Definition>;
}

const doc = readFileSync(new URL('../../../docs/job.md', import.meta.url), 'utf8');
const schema: Definition & { definitions: Record<string, Definition> } = JSON.parse(
  readFileSync(new URL('../../../schemas/preview-job.schema.json', import.meta.url), 'utf8'),
);

/** What a property says itself, together with what the definition says that it refers to. */
function resolved({ allOf = [], ...own }: Definition): Definition {
  return Object.assign(
    {},
    ...allOf.map(({ $ref }) => schema.definitions[$ref.replace('#/definitions/', '')]),
    own,
  );
}

/** The rows of the table below a heading, by property. */
function rowsBelow(heading: string): Map<string, string> {
  const [, section = ''] = doc.split(`\n## ${heading}\n`);
  const rows = (section.split('\n## ')[0] ?? '').matchAll(/^\| `(\w+)` \|.*$/gm);
  return new Map([...rows].map(([row, property = '']) => [property, row]));
}

describe('the examples of docs/job.md', () => {
  const examples = [...doc.matchAll(/```json\n(.*?)```/gs)].map(([, code = '']) => JSON.parse(code));

  test('are valid jobs', () => {
    expect(examples).toHaveLength(2);
    for (const example of examples)
      expect(validatePreviewPayload(example)).toEqual({ ok: true, job: example });
  });

  test('show every property of the job, the request and the options', () => {
    const { previewRequest } = examples[0];
    const names = (definition: Definition | undefined) => Object.keys(definition?.properties ?? {}).sort();
    expect(Object.keys(examples[0]).sort()).toEqual(names(schema));
    expect(Object.keys(previewRequest).sort()).toEqual(names(schema.definitions.PreviewRequest));
    expect(Object.keys(previewRequest.options).sort()).toEqual(names(schema.definitions.Options));
  });
});

describe('docs/job.md lists exactly the properties of', () => {
  const objects = Object.entries({ PreviewJob: schema, ...schema.definitions }).filter(
    ([, { properties }]) => properties,
  );

  test.each(objects)(
    '%s, with what is required, allowed and default',
    (name, { properties = {}, required = [] }) => {
      const rows = rowsBelow(name);
      expect([...rows.keys()]).toEqual(Object.keys(properties));
      for (const [property, definition] of Object.entries(properties)) {
        const { default: standard, enum: words = [] } = resolved(definition);
        const cells = rows.get(property)?.split('|').slice(1) ?? [];
        expect(cells[2]?.trim() === 'yes', `${name}.${property} is required`).toBe(
          required.includes(property),
        );
        for (const word of words) expect(cells[1], `${name}.${property}`).toContain(`\`${word}\``);
        if (standard !== undefined) expect(cells[3], `${name}.${property}`).toContain(`\`${standard}\``);
      }
    },
  );
});
