/**
 * A process of its own that writes into a store; forked by the tests that kill it or let its disk run full.
 * Arguments: what to do, and the folder.
 */
import { closeSync, openSync } from 'node:fs';
import { createFsStore } from '../../src/storage/folder/fsStore.ts';
import { loadOrCreateSigningKey } from '../../src/storage/signedUrls/signingKeys.ts';

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
} else if (task === 'many') {
  const store = await createFsStore(folder);
  const texts = Array.from({ length: 400 }, (_, i) => Buffer.from(`text ${i}`));
  const objects = await Promise.all(texts.map((text) => store.putObject(text)));
  await Promise.all(objects.map((object) => store.putPart(object.sha256, object)));
  // Another one remembers nothing.
  const reader = await createFsStore(folder);
  const parts = await Promise.all(objects.map(({ sha256 }) => reader.getPart(sha256)));
  const read = await Promise.all(parts.map((part) => reader.readObject(part?.sha256 ?? '')));
  process.stdout.write(JSON.stringify(read.every((text, i) => texts[i]?.equals(text))));
} else if (task === 'exhaust') {
  const store = await createFsStore(folder);
  const object = await store.putObject(Buffer.from('text'));
  const opened: number[] = [];
  const untilFull = (): void => {
    for (;;) opened.push(openSync('/dev/null', 'r'));
  };
  const told = await codeOf(Promise.resolve().then(untilFull));
  const uses = [
    () => store.readObject(object.sha256),
    () => store.putObject(Buffer.from('another')),
    () => store.putPart(object.sha256, object),
  ];
  const messages: string[] = [];
  for (const use of uses) messages.push(await use().then(String, String));
  for (const file of opened) closeSync(file);
  const after = String(await store.readObject(object.sha256));
  process.stdout.write(JSON.stringify({ told, messages, after }));
} else {
  process.send?.(await loadOrCreateSigningKey(folder));
  process.disconnect();
}
