import { type Agent, request } from 'undici';
import { limitInterimAnswers } from '../../assets/interimAnswers.ts';
import { PreviewError } from '../../errors.ts';
import { retryAfter, signedHeaders } from './webhookMessage.ts';

/** What came of one delivery. */
export interface Knock {
  /** HTTP status of the answer; absent where there was none. */
  status?: number;
  /** Why it counts as failed; absent where it was delivered. */
  failure?: string;
  /** True where another attempt can do nothing. */
  final: boolean;
  /** What the receiver asked for; 0 where it asked for nothing. */
  retryAfterSeconds: number;
}

/** Sends a message once. It never throws: what went wrong is told. */
export type WebhookSender = (
  message: { id: string; url: string; body: string; secrets: readonly Buffer[] },
  signal: AbortSignal,
) => Promise<Knock>;

/** What is read of an answer, in bytes; nobody looks at it. */
const ANSWER_BYTES = 16 * 1024;

/**
 * @param agent checks every address, see egress.ts
 * @param timeoutMs from the connection to the end of the answer
 */
export function createWebhookSender(agent: Agent, timeoutMs: number, userAgent: string): WebhookSender {
  return async ({ id, url, body, secrets }, signal) => {
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await request(checkUrl(url), {
        dispatcher: agent,
        method: 'POST',
        ...limitInterimAnswers(AbortSignal.any([signal, deadline])),
        headers: {
          'content-type': 'application/json',
          'user-agent': userAgent,
          ...signedHeaders(id, body, secrets, Date.now()),
        },
        body,
      });
      // The status is the answer; what comes behind it cannot change it.
      await answer.body.dump({ limit: ANSWER_BYTES }).catch(() => undefined);
      return judge(answer.statusCode, retryAfter(answer.headers['retry-after'], Date.now()));
    } catch (error) {
      return asFailure(error, deadline.aborted ? timeoutMs : undefined);
    }
  };
}

function checkUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new PreviewError('asset_address_refused', 'Only http: and https: addresses are called.');
  }
  return url;
}

function judge(status: number, retryAfterSeconds: number): Knock {
  if (status >= 200 && status < 300) return { status, final: true, retryAfterSeconds: 0 };
  if (status === 410) return { status, final: true, retryAfterSeconds: 0, failure: 'The receiver is gone.' };
  const failure =
    status >= 300 && status < 400
      ? 'Redirects are not followed; name the last address itself.'
      : `It answered ${status}.`;
  return { status, final: false, retryAfterSeconds, failure };
}

function asFailure(error: unknown, timeoutMs: number | undefined): Knock {
  const nothing = { final: false, retryAfterSeconds: 0 };
  if (error instanceof PreviewError) {
    const isRefused = error.code === 'asset_address_refused';
    return { ...nothing, final: isRefused, failure: error.message };
  }
  if (timeoutMs !== undefined) {
    return { ...nothing, failure: `It did not answer within ${timeoutMs / 1000} s.` };
  }
  return { ...nothing, failure: 'It could not be reached.' };
}
