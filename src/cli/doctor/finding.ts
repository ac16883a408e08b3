import { PreviewError } from '../../errors.ts';

/** What is checked. */
export type Subject = 'config' | 'queue' | 'store' | 'fonts' | 'codecs' | 'time' | 'limits';

/** The result of a check. `fail`: the service cannot work. `warn`: it can, but the operator should know something. */
export interface Finding {
  subject: Subject;
  status: 'ok' | 'warn' | 'fail';
  /** The finding, in a sentence. */
  message: string;
  /** What to do about it. Every finding that is not ok has one. */
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

/** What was in the way, for the middle of a sentence: an error's cause, or else its own message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof PreviewError)) return String(error);
  const { cause, message } = error;
  return (cause instanceof Error ? cause.message : message).replace(/\n.*/s, '').replace(/\.$/, '');
}
