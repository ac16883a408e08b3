import { fileURLToPath } from 'node:url';

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The command line, as it is shipped. */
export const CLI = pathOf('../../dist/cli.js');

/** A module of this folder that is started as a process, see built.ts. */
export const processFile = (name: string): string => pathOf(`../.built/${name}.js`);
