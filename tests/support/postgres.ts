import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** Suites run on PostgreSQL too where this is the URL of a server on which databases may be made. */
export const postgresUrl = process.env.TEST_POSTGRES_URL;

/** A database of the test's own, dropped at the end. */
export async function createDatabase(serverUrl: string): Promise<{ url: string; stop(): Promise<void> }> {
  const name = `preview_test_${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, `CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, stop: () => onServer(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`) };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
