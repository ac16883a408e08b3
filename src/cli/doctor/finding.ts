/** What is looked at. */
export type Subject = 'config' | 'queue' | 'store' | 'fonts' | 'codecs' | 'time' | 'limits';

/** What was found. With `fail` the service cannot do its work; with `warn` it can, and something is to be known. */
export interface Finding {
  subject: Subject;
  status: 'ok' | 'warn' | 'fail';
  /** What is so, in a sentence. */
  message: string;
  /** What to do about it; of all that is not ok. */
  advice?: string;
}

/** Makes the findings of one subject. */
export function findingsOf(subject: Subject) {
  return {
    ok: (message: string): Finding => ({ subject, status: 'ok', message }),
    warn: (message: string, advice: string): Finding => ({ subject, status: 'warn', message, advice }),
    fail: (message: string, advice: string): Finding => ({ subject, status: 'fail', message, advice }),
  };
}
