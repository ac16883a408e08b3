import fc, { type Arbitrary } from 'fast-check';

/** As much of JSON Schema as the description of the API uses. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
}

/**
 * Values that a schema allows, most of the time: rules between fields are left out, so that a part of them is not valid.
 * @param components what `#/components/schemas/…` leads to
 */
export function fromSchema(schema: Schema, components: Record<string, Schema>): Arbitrary<unknown> {
  const of = (part: Schema): Arbitrary<unknown> => fromSchema(part, components);
  if (schema.$ref !== undefined) return of(components[schema.$ref.split('/').at(-1) ?? ''] ?? {});
  const [first, ...others] = schema.allOf ?? [];
  if (first && schema.type === undefined)
    return of(Object.assign({}, first, ...others, schema, { allOf: [] }));
  const choice = schema.oneOf ?? schema.anyOf;
  if (choice && schema.type === undefined) return fc.oneof(...choice.map(of));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const types = [schema.type ?? []].flat();
  return types.length === 0 ? fc.jsonValue() : fc.oneof(...types.map((type) => ofType(type, schema, of)));
}

function ofType(type: string, schema: Schema, of: (part: Schema) => Arbitrary<unknown>): Arbitrary<unknown> {
  const { minimum: min = -1000, maximum: max = 1_000_000 } = schema;
  switch (type) {
    case 'object': {
      const fields = Object.entries(schema.properties ?? {});
      if (fields.length === 0)
        return fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 });
      const values = Object.fromEntries(fields.map(([name, part]) => [name, of(part)]));
      const requiredKeys = (schema.required ?? []).filter((name) => name in values);
      return fc.record(values, { requiredKeys });
    }
    case 'array':
      return fc.array(of(schema.items ?? {}), { maxLength: Math.min(4, schema.maxItems ?? 4) });
    case 'integer':
      return fc.integer({ min, max });
    case 'number':
      return fc.double({ min, max, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return text(schema);
  }
}

function text({ pattern, format, minLength = 0, maxLength = 300 }: Schema): Arbitrary<string> {
  // fast-check knows no lookaheads; what they forbid may then come as well.
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern.replace(/\(\?!.*?\)/g, '')));
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  return fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 300) });
}
