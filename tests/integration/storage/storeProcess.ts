/**
 * A process of its own that writes into a store; forked by the tests that kill it or let its disk run full.
 * Arguments: what to do, and the folder.
 */
import { createFsStore } from '../../../src/storage/fsStore.ts';
import { loadOrCreateSigningKey } from '../../../src/storage/signingKeys.ts';

const [task = '', folder = ''] = process.argv.slice(2);

async function* neverEnding() {
  yield Buffer.alloc(200_000, 'x');
  process.send?.('writing');
  await new Promise((resolve) => process.on('message', resolve));
}

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'done',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : String(error)),
  );
}

if (task === 'hang') {
  const store = await createFsStore(folder);
  await store.putObject(neverEnding());
} else if (task === 'overflow') {
  const store = await createFsStore(folder);
  const large = await codeOf(store.putObject(Buffer.alloc(1_000_000, 'x')));
  const small = await codeOf(store.putObject(Buffer.from('small')));
  process.stdout.write(JSON.stringify({ large, small }));
} else {
  process.send?.(await loadOrCreateSigningKey(folder));
  process.disconnect();
}
