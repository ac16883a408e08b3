/** Takes the lock of a folder, says so, and is then too busy for anything else: `lockProcess.ts <folder>`. */
import { lockFolder } from '../../src/queue/embedded/folderLock.ts';

await lockFolder(process.argv[2] ?? '');
process.send?.('locked', () => {
  for (;;);
});
