import { randomBytes } from 'node:crypto';
import { storeFolder } from '../../app/renderParts.ts';
import type { Config } from '../../config.ts';
import { PreviewError } from '../../errors.ts';
import { openStore } from '../../storage/openStore.ts';
import { formatBytes } from '../display.ts';
import { type Finding, findingsOf, reasonOf } from './finding.ts';

const { ok, warn, fail } = findingsOf('store');

/** The same share as in the alert PreviewStoreNearlyFull. */
const NEARLY_FULL = 0.15;
/** A preview of a minute and its parts. */
const TOO_LITTLE_BYTES = 256 * 1024 * 1024;
/** Milliseconds. A job writes some dozens of files, one after the other where they depend on each other. */
const SLOW_WRITE = 250;

/** Writes a few bytes, which are the same each time, reads them, and asks how much room there is. */
export async function findStore(config: Config): Promise<Finding[]> {
  const folder = storeFolder(config);
  const where = config.storeUrl ? 'STORE_URL' : folder;
  try {
    const store = await openStore({ s3: config.storeUrl, folder });
    await store.check();
    // A part is written and synced anew each time, an object only once.
    const bytes = Buffer.from('preview-worker doctor');
    const started = performance.now();
    const object = await store.putObject(bytes);
    await store.putPart(DOCTOR_PART, { ...object, meta: { nonce: randomBytes(8).toString('hex') } });
    const milliseconds = Math.round(performance.now() - started);
    const same = (await store.readObject(object.sha256)).equals(bytes);
    if (!same || !(await store.getPart(DOCTOR_PART)))
      return [
        fail(
          `${where} does not return the bytes that were written.`,
          'Run `preview-worker store verify`, and check the disk.',
        ),
      ];
    const written = `${where} was written, synced and read in ${milliseconds} ms.`;
    return [
      milliseconds < SLOW_WRITE
        ? ok(written)
        : warn(written, 'Every part of a preview takes that long; use a faster disk.'),
      ...findRoom(await store.capacity()),
    ];
  } catch (error) {
    if (!(error instanceof PreviewError)) throw error;
    return [
      fail(
        `${where} cannot be used: ${reasonOf(error)}.`,
        config.storeUrl
          ? 'Check STORE_URL, that the bucket exists, and that the credentials may read and write it.'
          : 'Make sure that DATA_DIR exists, belongs to the user of the service, is not read-only and has room.',
      ),
    ];
  }
}

const DOCTOR_PART = 'd0c70'.padEnd(64, '0');

function findRoom(capacity: { freeBytes: number; totalBytes: number } | undefined): Finding[] {
  if (!capacity) return [];
  const { freeBytes, totalBytes } = capacity;
  const share = freeBytes / totalBytes;
  const message = `${formatBytes(freeBytes)} free on its disk (${Math.round(100 * share)} %).`;
  const advice =
    'Make room, or enlarge the disk. PREVIEW_RETENTION_DAYS and `preview-worker store gc` remove what is old.';
  if (freeBytes < TOO_LITTLE_BYTES) return [fail(message, advice)];
  return [share < NEARLY_FULL ? warn(message, advice) : ok(message)];
}
