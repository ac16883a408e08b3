import type { ErrorObject } from 'ajv';
import type { InputError } from '../errors.ts';
import { didYouMean } from './didYouMean.ts';
import { pointerTo } from './jsonPointer.ts';

/** A job with more mistakes than this has one mistake that was made in a loop. */
const MAX_ERRORS = 100;

/**
 * Words Ajv's errors for people, one for each wrong value.
 * @param errors as Ajv gives them with `allErrors` and `verbose`
 */
export function describeSchemaErrors(errors: readonly ErrorObject[]): InputError[] {
  const byPointer = new Map<string, InputError>();
  for (const error of errors) {
    if (byPointer.size === MAX_ERRORS) break;
    if (isBranchOfOneOf(error)) continue;
    const pointer = pointerOf(error);
    // If the type is wrong, the other complaints about the value do not help.
    if (byPointer.has(pointer) && error.keyword !== 'type') continue;
    byPointer.set(pointer, { pointer, message: messageOf(error) });
  }
  return [...byPointer.values()];
}

/** Ajv reports each branch of a `oneOf` that does not match; the error of the `oneOf` itself is enough. */
function isBranchOfOneOf({ schemaPath }: ErrorObject): boolean {
  return /\/oneOf\/\d+\//.test(schemaPath);
}

/** Ajv blames the object for a missing or unknown property, and the array for a repeated item. */
function pointerOf({ keyword, instancePath, params }: ErrorObject): string {
  if (keyword === 'required') return pointerTo(instancePath, params.missingProperty);
  if (keyword === 'additionalProperties') return pointerTo(instancePath, params.additionalProperty);
  if (keyword === 'uniqueItems') return pointerTo(instancePath, Math.max(params.i, params.j));
  return instancePath;
}

function messageOf(error: ErrorObject): string {
  const { keyword, params, data, parentSchema = {} } = error;
  switch (keyword) {
    case 'required':
      return 'is required';
    case 'additionalProperties':
      return describeUnknown(params.additionalProperty, Object.keys(parentSchema.properties));
    case 'type':
      return describeType(params.type, parentSchema.enum, data);
    case 'enum':
      return `must be one of ${params.allowedValues.join(', ')}`;
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
      return describeRange(parentSchema);
    case 'minLength':
      return 'must not be empty';
    case 'maxLength':
      return `must have at most ${params.limit} characters; it has ${countCharacters(String(data))}`;
    case 'maxItems':
      return `must have at most ${params.limit} items; it has ${Array.isArray(data) ? data.length : 0}`;
    case 'uniqueItems':
      return `repeats item ${Math.min(params.i, params.j)}`;
    case 'format':
      return 'must be a date and time of RFC 3339, for example 2026-01-31T12:00:00Z';
    case 'pattern':
      return `must be ${asPhrase(parentSchema.description)}`;
    case 'oneOf':
      return describeSources(parentSchema.oneOf, data);
    default:
      return error.message ?? 'is not valid';
  }
}

function describeType(type: string, words: readonly string[] | undefined, data: unknown): string {
  if (words) return `must be one of ${words.join(', ')}`;
  if (type === 'integer' && typeof data === 'number') return `must be a whole number, not ${data}`;
  return `must be ${withArticle(type)}, not ${kindOf(data)}`;
}

function describeUnknown(name: string, known: readonly string[]): string {
  const meant = didYouMean(name, known);
  const shown = name.length > 40 ? `${name.slice(0, 40)}…` : name;
  return `unknown property "${shown}"; ${meant ? `did you mean "${meant}"?` : `known are ${known.join(', ')}`}`;
}

function describeRange({ minimum, exclusiveMinimum, maximum }: Record<string, number | undefined>): string {
  const bounds = [
    minimum === undefined ? [] : `at least ${minimum}`,
    exclusiveMinimum === undefined ? [] : `more than ${exclusiveMinimum}`,
    maximum === undefined ? [] : `at most ${maximum}`,
  ].flat();
  return `must be ${bounds.join(' and ')}`;
}

/** Only `Asset` has a `oneOf`; its branches are `{required: [name]}`. */
function describeSources(branches: readonly { required: readonly [string] }[], data: unknown): string {
  const names = branches.map(({ required }) => required[0]);
  const given = names.filter((name) => typeof data === 'object' && data !== null && name in data);
  const has = given.length === 0 ? 'none' : given.join(' and ');
  return `must have exactly one of ${names.join(', ')}; it has ${has}`;
}

/** Every definition with a pattern describes what matches, as a sentence that begins with a noun. */
function asPhrase(description: string): string {
  return description.replace(/^An? /, (article) => article.toLowerCase()).replace(/\.$/, '');
}

/** Code points, as the schema counts them, one after the other: the text may be as large as memory allows. */
function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return withArticle(Array.isArray(value) ? 'array' : typeof value);
}

function withArticle(type: string): string {
  return `${/^[aio]/.test(type) ? 'an' : 'a'} ${type}`;
}
