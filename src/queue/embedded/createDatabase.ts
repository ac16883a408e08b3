/** The process in which the embedded queue's database is made: in the folder that is its argument. */
import { startDatabase } from './database.ts';

const [folder] = process.argv.slice(2);
if (!folder || !process.send) throw new Error('this module is started by database.ts');
const database = await startDatabase(folder);
await database.close();
process.disconnect();
