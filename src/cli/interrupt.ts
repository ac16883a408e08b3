import { PreviewError } from '../errors.ts';

/**
 * Runs something that SIGINT and SIGTERM abort, so that it can end its children and restore the cursor. A second signal ends
 * the process at once.
 */
export async function untilInterrupted(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const control = new AbortController();
  const onSignal = (): void => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    control.abort(new PreviewError('cancelled', 'Interrupted.'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    await run(control.signal);
  } catch (error) {
    // The abort may surface as an AbortError or a broken connection; this is the reason behind it.
    throw control.signal.aborted ? control.signal.reason : error;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}
