import { hostname } from 'node:os';

/** What the queue calls the worker of this process. */
export const workerName = (): string => `${hostname()}-${process.pid}`;
