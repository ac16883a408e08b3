export type ParsedJson = { ok: true; value: unknown } | ({ ok: false } & JsonMistake);

/** Where a text stops being JSON: `line` and `column` count from 1, in UTF-16 code units. */
export interface JsonMistake {
  line: number;
  column: number;
  /** What was expected there, worded to come before "was expected". */
  expected: string;
}

/**
 * `JSON.parse` that does not throw and always names a place; V8 names one for some mistakes only, and in other
 * words in each version of Node.js. `jsonc-parser` overflows the stack where brackets nest 8,000 deep, and of a mistake
 * inside a string it names the beginning of the string.
 */
export function parseJson(text: string): ParsedJson {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    const { at, expected } = findMistake(text);
    const lines = text.slice(0, at).split('\n');
    return { ok: false, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1, expected };
  }
}

interface Mistake {
  at: number;
  expected: string;
}

type Expected = keyof typeof names;

const names = {
  value: 'a value',
  firstItem: 'a value or ]',
  firstName: 'a property name in double quotes or }',
  name: 'a property name in double quotes',
  colon: ':',
  commaOrBrace: ', or }',
  commaOrBracket: ', or ]',
  end: 'nothing more',
};

const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
/** Whatever is not RFC 8259's `unescaped`. */
const stringStop = /[^ !#-[\]-\uffff]/g;
const escapeSequence = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Walks the tokens (RFC 8259) to the first one that is not allowed in its place. */
function findMistake(text: string): Mistake {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let at = 0;
  const afterValue = (): Expected => {
    if (open.length === 0) return 'end';
    return open.at(-1) === '{' ? 'commaOrBrace' : 'commaOrBracket';
  };
  for (;;) {
    while (' \t\n\r'.includes(text.charAt(at)) && at < text.length) at++;
    const character = text.charAt(at);
    const wantsValue: boolean = expected === 'value' || expected === 'firstItem';
    const wantsName: boolean = expected === 'name' || expected === 'firstName';
    if (wantsValue && (character === '{' || character === '[')) {
      open.push(character);
      expected = character === '{' ? 'firstName' : 'firstItem';
      at++;
    } else if (
      (character === '}' && (expected === 'firstName' || expected === 'commaOrBrace')) ||
      (character === ']' && (expected === 'firstItem' || expected === 'commaOrBracket'))
    ) {
      open.pop();
      expected = afterValue();
      at++;
    } else if (character === ',' && (expected === 'commaOrBrace' || expected === 'commaOrBracket')) {
      expected = expected === 'commaOrBrace' ? 'name' : 'value';
      at++;
    } else if (character === ':' && expected === 'colon') {
      expected = 'value';
      at++;
    } else if (character === '"' && (wantsValue || wantsName)) {
      const string = scanString(text, at);
      if ('expected' in string) return string;
      expected = wantsName ? 'colon' : afterValue();
      at = string.end;
    } else {
      scalar.lastIndex = at;
      if (!wantsValue || !scalar.test(text)) return { at, expected: names[expected] };
      expected = afterValue();
      at = scalar.lastIndex;
    }
  }
}

function scanString(text: string, start: number): { end: number } | Mistake {
  stringStop.lastIndex = start + 1;
  for (;;) {
    const stop = stringStop.exec(text);
    if (!stop) return { at: text.length, expected: 'the closing " of a string' };
    if (stop[0] === '"') return { end: stringStop.lastIndex };
    escapeSequence.lastIndex = stop.index;
    if (stop[0] !== '\\' || !escapeSequence.test(text)) {
      const expected =
        stop[0] === '\\' ? 'an escape like \\n or \\u00e9' : 'an escape instead of a raw control character';
      return { at: stop.index, expected };
    }
    stringStop.lastIndex = escapeSequence.lastIndex;
  }
}
