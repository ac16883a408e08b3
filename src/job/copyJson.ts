import type { InputError } from '../errors.ts';
import { pointerTo } from './jsonPointer.ts';

/** No real job is nearly as deep. Deeper values are an attack on recursive code. */
const MAX_DEPTH = 64;
/** 500 steps and 1,000 assets with every field set are 20,000 values; the rest is for `metadata`. */
const MAX_VALUES = 100_000;

/**
 * A deep copy of a JSON value that shares nothing with the original, or the first reason why the value is no
 * JSON. Never throws: getters and proxies are read once, inside. `structuredClone` is no help here: it throws,
 * keeps Dates and Maps, and follows cycles.
 */
export function copyJson(value: unknown): { ok: true; value: unknown } | { ok: false; error: InputError } {
  try {
    return { ok: true, value: copy(value, { values: 0, path: [], ancestors: [] }) };
  } catch (error) {
    if (error instanceof NotJson) return { ok: false, error: error.reason };
    return { ok: false, error: { pointer: '', message: 'cannot be read: a property of it throws an error' } };
  }
}

/**
 * The same checks of a value that `JSON.parse` has made and that nobody else has: it need not be copied. It may be too deep or
 * too large all the same, or have a name that is none.
 */
export function checkParsedJson(value: unknown): ReturnType<typeof copyJson> {
  return isPlain(value, 0, { values: 0 }) ? { ok: true, value } : copyJson(value);
}

function isPlain(value: unknown, depth: number, seen: { values: number }): boolean {
  seen.values += 1;
  // `1e999` is valid JSON, but parses to Infinity.
  if (typeof value === 'number' && !Number.isFinite(value)) return false;
  if (typeof value !== 'object' || value === null) return seen.values <= MAX_VALUES;
  if (depth >= MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1, seen));
  for (const key of Object.keys(value)) {
    if (key === '__proto__' || !isPlain((value as Record<string, unknown>)[key], depth + 1, seen))
      return false;
  }
  return seen.values <= MAX_VALUES;
}

interface Walk {
  values: number;
  /** The names and indexes that lead to the present value. */
  path: (string | number)[];
  /** The objects that the present value lies in; one that comes again is a cycle. */
  ancestors: object[];
}

class NotJson extends Error {
  readonly reason: InputError;

  constructor(path: Walk['path'], message: string) {
    super(message);
    this.reason = { pointer: path.reduce<string>(pointerTo, ''), message };
  }
}

function copy(value: unknown, walk: Walk): unknown {
  walk.values += 1;
  if (walk.values > MAX_VALUES) throw new NotJson([], `must have at most ${MAX_VALUES} values in all`);
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new NotJson(walk.path, `must be a finite number, not ${value}`);
      return value;
    case 'object':
      return value === null ? null : copyObject(value, walk);
    default:
      throw new NotJson(
        walk.path,
        `must be JSON, not ${typeof value === 'undefined' ? value : `a ${typeof value}`}`,
      );
  }
}

function copyObject(value: object, walk: Walk): unknown {
  const { path, ancestors } = walk;
  if (path.length >= MAX_DEPTH) throw new NotJson(path, `must not be nested deeper than ${MAX_DEPTH} levels`);
  if (ancestors.includes(value)) throw new NotJson(path, 'must not contain itself');
  ancestors.push(value);
  const result = Array.isArray(value) ? copyArray(value, walk) : copyMembers(value, walk);
  ancestors.pop();
  return result;
}

/** What lies at `key` of the present value. */
function copyAt(key: string | number, value: unknown, walk: Walk): unknown {
  walk.path.push(key);
  const result = copy(value, walk);
  walk.path.pop();
  return result;
}

function copyArray(items: unknown[], walk: Walk): unknown[] {
  const result: unknown[] = [];
  // By index, because holes are to be seen and a proxy's length may lie: the count of values bounds it.
  for (let i = 0; i < items.length; i++) result.push(copyAt(i, items[i], walk));
  return result;
}

function copyMembers(value: object, walk: Walk): Record<string, unknown> {
  // Dates, Maps, Buffers and the like answer something else; objects of another realm or without prototype pass.
  const kind = Object.prototype.toString.call(value);
  if (kind !== '[object Object]')
    throw new NotJson(walk.path, `must be JSON, not a ${kind.slice('[object '.length, -1)}`);
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key];
    if (key === '__proto__') throw new NotJson([...walk.path, key], 'is not allowed as a name');
    // JSON.stringify would leave these out.
    if (member === undefined) continue;
    result[key] = copyAt(key, member, walk);
  }
  return result;
}
