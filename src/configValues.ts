import { readFileSync } from 'node:fs';
import ipaddr from 'ipaddr.js';
import { type ApiKey, hashKey, SCOPES, type Scope } from './apiKey.ts';

/*
 * Parsers for the values of the configuration. Each parses the text of one variable, or throws what it expected.
 * The rooms that use a value say what they need in types of their own; nothing is imported from them here.
 */

/** What a parser expected instead, worded to follow "must be". */
export class Unexpected extends Error {}

/** @param expected the complaint if the text does not match */
export function matching(text: string, pattern: RegExp, expected: string): string {
  if (!pattern.test(text)) throw new Unexpected(expected);
  return text;
}

/** One of some words. */
export function oneOf<Word extends string>(text: string, words: readonly Word[]): Word {
  const word = words.find((known) => known === text);
  if (word === undefined) throw new Unexpected(words.join(' or '));
  return word;
}

/** Fields of a log line: `title,err.message,*.url`. */
export function fieldPaths(text: string): string[] {
  const paths = list(text);
  if (!paths.every((path) => /^(\*\.)?[A-Za-z_][A-Za-z0-9_]*(\.([A-Za-z_][A-Za-z0-9_]*|\*))*$/.test(path))) {
    throw new Unexpected('a list of fields like projectId,err.message');
  }
  return paths;
}

/** A whole number, both bounds included. */
export function whole(text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new Unexpected(`a whole number from ${min} to ${max}`);
  }
  return value;
}

/** An address of Redis or PostgreSQL; undefined where there is none. */
export function queueUrl(text: string): string | undefined {
  if (text === '') return undefined;
  if (!/^(rediss?|postgres(ql)?):\/\//.test(text) || !URL.canParse(text)) {
    throw new Unexpected('an address like redis://host:6379, rediss://… or postgres://…');
  }
  return text;
}

/** `s3://bucket/prefix?region=…&endpoint=…`; undefined where there is none. */
export function storeUrl(
  text: string,
): { bucket: string; prefix: string; region: string; endpoint: string | undefined } | undefined {
  if (text === '') return undefined;
  const expected = new Unexpected('an address like s3://bucket/prefix?region=eu-central-1');
  if (!/^s3:\/\/[a-z0-9][a-z0-9.-]{2,62}([/?]|$)/.test(text) || !URL.canParse(text)) throw expected;
  const { hostname: bucket, pathname, searchParams } = new URL(text);
  const { region = 'us-east-1', endpoint, ...unknown } = Object.fromEntries(searchParams);
  const isAddress = endpoint === undefined || (/^https?:\/\//.test(endpoint) && URL.canParse(endpoint));
  if (!isAddress || Object.keys(unknown).length > 0) throw expected;
  return { bucket, prefix: pathname.replace(/^\/+|\/+$/g, ''), region, endpoint };
}

/** An address of HTTP; undefined where there is none. */
export function otlpEndpoint(text: string): string | undefined {
  if (text === '') return undefined;
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new Unexpected('an address like http://collector:4318');
  }
  return text;
}

/** `projectId:key` or `projectId/read+submit:key`, with commas, or `@file`; each key once, of 16 bytes at least. */
export function apiKeys(text: string): ApiKey[] {
  const keys = pairs(text, 'projectId:key', 16, /[A-Za-z0-9._-]{1,128}(?:\/[^:]*)?/).map(([name, key]) => {
    const [projectId = '', scopes] = name.split('/');
    return { projectId, scopes: scopes === undefined ? SCOPES : scopesOf(scopes), sha256: hashKey(key) };
  });
  if (new Set(keys.map(({ sha256 }) => sha256.toString('hex'))).size < keys.length) {
    throw new Unexpected('a list in which no key occurs twice');
  }
  return keys;
}

/** The scopes after a project: `read+submit`. */
function scopesOf(text: string): Scope[] {
  const isScope = (word: string): word is Scope => (SCOPES as readonly string[]).includes(word);
  const words = text.split('+');
  if (!words.every(isScope)) {
    throw new Unexpected(`scopes out of ${SCOPES.join(', ')}, joined by +; one key has "${text}"`);
  }
  return words;
}

/** `name:secret` with commas between, or `@file` with one on each line. The names are ids as those of a job. */
export function pairs(
  text: string,
  form: string,
  minBytes: number,
  name = /[A-Za-z0-9._-]{1,128}/,
): [name: string, secret: string][] {
  const pair = new RegExp(`^(${name.source}):(.+)$`);
  const entries = list(text.startsWith('@') ? readList(text.slice(1)) : text);
  // An emptied file must not switch off the keys.
  if (text.startsWith('@') && entries.length === 0)
    throw new Unexpected(`a list of ${form}; the file is empty`);
  return entries.map((entry, index) => {
    const [, name = '', secret = ''] = pair.exec(entry) ?? [];
    if (!secret) throw new Unexpected(`a list of ${form}; entry ${index + 1} is not`);
    if (Buffer.byteLength(secret) < minBytes) {
      throw new Unexpected(
        `a list of ${form} with at least ${minBytes} bytes behind the colon; "${name}" has fewer`,
      );
    }
    return [name, secret];
  });
}

/** `projectId:whsec_…` with commas, or `@file`; the secrets of each project in their order. */
export function webhookSecrets(text: string): ReadonlyMap<string, readonly Buffer[]> {
  const secrets = new Map<string, Buffer[]>();
  for (const [projectId, secret] of pairs(text, 'projectId:secret', 1)) {
    const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
    const bytes = Buffer.from(base64 ?? '', 'base64');
    if (bytes.length < 24 || bytes.length > 64) {
      throw new Unexpected(
        `a list of projectId:secret, each secret whsec_ and the base64 of 24 to 64 bytes; one of "${projectId}" is not`,
      );
    }
    secrets.set(projectId, [...(secrets.get(projectId) ?? []), bytes]);
  }
  return secrets;
}

function readList(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new Unexpected('a list, or @ and the name of a file that can be read');
  }
}

/** Days, of all projects and then of some: `30,docs:7`; undefined where everything is kept. */
export function retention(text: string): { days: number; projects: Map<string, number> } | undefined {
  if (text === '') return undefined;
  const [first = '', ...others] = list(text);
  const expected = 'days like 30, or 30,docs:7 where a project differs; each from 1 to 36500';
  const days = (value: string): number => {
    if (!/^\d{1,5}$/.test(value) || Number(value) < 1 || Number(value) > 36_500)
      throw new Unexpected(expected);
    return Number(value);
  };
  const projects = others.map((entry): [string, number] => {
    const [, projectId = '', value = ''] = /^([A-Za-z0-9._-]{1,128}):(\d+)$/.exec(entry) ?? [];
    return [projectId, days(value)];
  });
  return { days: days(first), projects: new Map(projects) };
}

/** Networks in CIDR notation, with commas. */
export function networks(text: string): string[] {
  const all = list(text);
  if (!all.every((network) => ipaddr.isValidCIDR(network))) {
    throw new Unexpected('a list of networks like 10.1.0.0/16,fd00::/8');
  }
  return all;
}

/** Origins as browsers send them, with commas. */
export function origins(text: string): string[] {
  const all = list(text);
  const isOrigin = (origin: string): boolean =>
    /^https?:/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin;
  if (!all.every(isOrigin)) {
    throw new Unexpected(
      'a list of origins like https://editor.example.org, without a slash at the end; * is not allowed',
    );
  }
  return all;
}

/** Hosts with commas, `*.` in front for all names below; in small letters. */
export function hosts(text: string): string[] {
  const all = list(text).map((host) => host.toLowerCase());
  if (!all.every((host) => /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(host) || ipaddr.isValid(host))) {
    throw new Unexpected('a list of hosts like cdn.example.org,*.example.net');
  }
  return all;
}

/** Addresses with commas, each with or without a port. */
export function dnsServers(text: string): string[] {
  const all = list(text);
  const isServer = (server: string): boolean => {
    const [, address = ''] =
      /^(?:\[(.+)\]:\d{1,5})$/.exec(server) ?? /^([\d.]+)(?::\d{1,5})?$/.exec(server) ?? [];
    return ipaddr.isValid(address || server);
  };
  if (!all.every(isServer))
    throw new Unexpected('a list of addresses like 10.0.0.53,10.0.0.53:5353,[fd00::53]:53');
  return all;
}

function list(text: string): string[] {
  return text
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter(Boolean);
}
