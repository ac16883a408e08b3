import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { layoutOf, listFiles, readJson, type StoredFile, undefinedWhereMissing } from '../folder/fsLayout.ts';
import { asRecord } from '../storeRules.ts';
import { hasCode } from '../storeUnavailable.ts';

/** Something in a store that is not what it should be. */
export interface Damage {
  kind: 'object' | 'record';
  /** The object's digest, or `projectId/jobId`. */
  name: string;
  /** What is wrong, in words. */
  problem: string;
}

export interface StoreCheck {
  objects: number;
  bytes: number;
  records: number;
  damage: Damage[];
}

/**
 * Reads every byte of the store in `folder` and compares it with the digest that it is stored under; then looks
 * whether each record can be read and has its artifacts.
 * @param options.removeDamaged takes damaged objects away: parts are then made again when they are needed, and nobody
 *   is given wrong bytes
 */
export async function verifyStore(
  folder: string,
  { removeDamaged = false, onDamage }: { removeDamaged?: boolean; onDamage?: (damage: Damage) => void } = {},
): Promise<StoreCheck> {
  const check: StoreCheck = { objects: 0, bytes: 0, records: 0, damage: [] };
  const report = (damage: Damage): void => {
    check.damage.push(damage);
    onDamage?.(damage);
  };

  for await (const file of listFiles(folder, 'objects')) {
    check.objects++;
    check.bytes += file.stats.size;
    const problem = await problemOf(file);
    if (problem === undefined) continue;
    report({ kind: 'object', name: file.name, problem });
    if (removeDamaged) await rm(file.path, { force: true });
  }

  const { objectPath } = layoutOf(folder);
  const sizeOf = async (sha256: string): Promise<number | undefined> =>
    (await stat(objectPath(sha256)).catch(undefinedWhereMissing))?.size;
  for await (const file of listFiles(folder, 'jobs')) {
    check.records++;
    const record = asRecord(await readJson(file.path));
    if (!record) {
      // It has been removed meanwhile, because it is old.
      if (!(await stat(file.path).catch(undefinedWhereMissing))) continue;
      report({ kind: 'record', name: file.name, problem: 'it cannot be read' });
      continue;
    }
    const { artifacts, details } = record;
    for (const { name, sha256, bytes } of [
      ...artifacts.map((each) => ({ ...each, name: `artifact ${each.name}` })),
      ...(details ? [{ ...details, name: 'history' }] : []),
    ]) {
      if ((await sizeOf(sha256)) === bytes) continue;
      const problem = `its ${name} is missing or incomplete`;
      report({ kind: 'record', name: `${record.projectId}/${record.jobId}`, problem });
    }
  }
  return check;
}

async function problemOf({ path, name }: StoredFile): Promise<string | undefined> {
  if (!/^[0-9a-f]{64}$/.test(name)) return 'its name is not a digest';
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk);
  } catch (error) {
    // It has been removed meanwhile, because nobody needs it.
    if (hasCode(error, 'ENOENT')) return undefined;
    return `it cannot be read (${error instanceof Error ? error.message : String(error)})`;
  }
  const digest = hash.digest('hex');
  return digest === name ? undefined : `its bytes have the SHA-256 ${digest}`;
}
