import { PreviewError } from '../errors.ts';

/**
 * Runs what can be aborted; SIGINT and SIGTERM abort it, so that it can end its children and put the cursor back.
 * A second signal ends the process at once.
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
    // However the abort shows itself in there (an AbortError, a broken connection), this is why.
    throw control.signal.aborted ? control.signal.reason : error;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}
