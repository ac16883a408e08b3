import { openOperations } from '../app/base.ts';
import { localStoreFolder } from '../app/renderParts.ts';
import type { Config } from '../config.ts';
import { createLogger } from '../logger.ts';
import type { CollectionReport, Tally } from '../storage/upkeep/collectGarbage.ts';
import { verifyStore } from '../storage/upkeep/verifyStore.ts';
import { formatBytes } from './display.ts';
import { EXIT } from './exit.ts';

/** Reads every byte and prints a line for each damage. The exit code is 1 if there is any. */
export async function verify(
  { removeDamaged = false }: { removeDamaged?: boolean },
  config: Config,
): Promise<void> {
  const { objects, bytes, records, damage } = await verifyStore(localStoreFolder(config), {
    removeDamaged,
    onDamage: ({ kind, name, problem }) => console.log(`${kind} ${name}: ${problem}`),
  });
  const found = damage.length === 0 ? 'no damage' : `${damage.length} damaged`;
  console.log(`${objects} objects (${formatBytes(bytes)}) and ${records} records: ${found}`);
  if (damage.length > 0) process.exitCode = EXIT.failed;
}

/** Removes what is older than PREVIEW_RETENTION_DAYS and no longer needed. With `dryRun` it only says what that would be. */
export async function collect({ dryRun = false }: { dryRun?: boolean }, config: Config): Promise<void> {
  const operations = await openOperations(config, createLogger('silent'));
  try {
    console.log(reportOf(await operations.collectGarbage({ dryRun }), dryRun));
  } finally {
    await operations.stop();
  }
}

function reportOf({ records, parts, objects }: CollectionReport, dryRun: boolean): string {
  const said = ({ count, bytes }: Tally): string => `${count} (${formatBytes(bytes)})`;
  return Object.entries({ records, parts, objects })
    .map(
      ([kind, { kept, removed }]) =>
        `${kind}: ${said(removed)} ${dryRun ? 'would be' : 'were'} removed, ${said(kept)} kept`,
    )
    .join('\n');
}
