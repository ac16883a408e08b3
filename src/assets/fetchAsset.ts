import { type Agent, request } from 'undici';
import { PreviewError } from '../errors.ts';

/** Opens an asset that is named by a URL. */
export type AssetFetcher = (url: string, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;

const MAX_REDIRECTS = 3;

/**
 * @param agent checks every address, see egress.ts; redirects are followed here, each through the same agent
 * @param totalMs from the request to the last byte
 */
export function createAssetFetcher(agent: Agent, totalMs: number): AssetFetcher {
  return async (url, signal) => {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(totalMs)]);
    let target = checkUrl(url);
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const { statusCode, headers, body } = await request(target, {
        dispatcher: agent,
        signal: deadline,
        headers: { accept: '*/*', 'accept-encoding': 'identity' },
      }).catch((cause: unknown) => {
        throw asFetchError(cause, target);
      });
      if (statusCode === 200) return guard(body, target);
      await body.dump();
      if (statusCode < 300 || statusCode >= 400) throw refused(statusCode, target);
      const { location } = headers;
      if (typeof location !== 'string' || !URL.canParse(location, target.href))
        throw refused(statusCode, target);
      target = checkUrl(new URL(location, target).href);
    }
    throw new PreviewError(
      'asset_unreachable',
      `${place(target)} redirects more than ${MAX_REDIRECTS} times.`,
    );
  };
}

function checkUrl(text: string): URL {
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new PreviewError('asset_address_refused', 'Only http: and https: addresses are fetched.');
  }
  return url;
}

async function* guard(body: AsyncIterable<Uint8Array>, target: URL): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw asFetchError(cause, target);
  }
}

function asFetchError(cause: unknown, target: URL): PreviewError {
  if (cause instanceof PreviewError) return cause;
  return new PreviewError('asset_unreachable', `${place(target)} did not answer in full.`, { cause });
}

function refused(status: number, target: URL): PreviewError {
  const code = status === 404 || status === 410 ? 'asset_missing' : 'asset_unreachable';
  return new PreviewError(code, `${place(target)} answered ${status}.`);
}

/** Where, without the user info and the query, which may be secrets. */
const place = (url: URL): string => `${url.protocol}//${url.host}${url.pathname}`;
