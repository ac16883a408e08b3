import { PreviewError } from '../errors.ts';

/** Exit codes; 64 is EX_USAGE of sysexits.h. */
export const EXIT = { done: 0, failed: 1, invalid: 2, usage: 64 } as const;

/** Prints what went wrong, each error of an invalid input on a line of its own; answers the exit code. */
export function reportError(error: unknown): number {
  if (!(error instanceof PreviewError)) {
    console.error(error);
    return EXIT.failed;
  }
  if (error.errors) {
    for (const { pointer, message } of error.errors) console.error(`${pointer || '/'}: ${message}`);
  } else {
    console.error(`${error.code}: ${error.message}`);
  }
  const { status, cause } = error;
  // The user of the command may see the cause, which callers over the network may not.
  if (status >= 500 && cause instanceof Error) console.error(`  because: ${cause.message}`);
  return status === 400 || status === 422 ? EXIT.invalid : EXIT.failed;
}
