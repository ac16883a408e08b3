/**
 * JSON with one spelling for each value, so that equal values have equal digests: keys sorted by UTF-16 code
 * units, no white space, numbers and strings as ECMAScript writes them (the rules of RFC 8785, which are
 * ECMAScript's own). Properties that are undefined are left out, as `JSON.stringify` does.
 * @param value a JSON value; cycles and BigInts are the caller's mistake and throw
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  // Undefined has no spelling in JSON; inside an array it becomes null, as JSON.stringify does.
  return JSON.stringify(value) ?? 'null';
}
