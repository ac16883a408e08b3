import type Hls from 'hls.js';
import type {
  FragmentLoaderContext,
  HlsConfig,
  Loader,
  LoaderCallbacks,
  LoaderConfiguration,
  LoaderContext,
  LoaderStats,
  PlaylistLoaderContext,
} from 'hls.js';
import { send } from '../api/call.ts';
import { Problem } from '../api/problem.ts';
import { segmentBytes } from './segmentCache.ts';

let loading: Promise<typeof import('hls.js')> | undefined;
/** The player's library; fetched when the first video is shown. */
export const loadHls = (): Promise<typeof import('hls.js')> => {
  loading ??= import('hls.js');
  return loading;
};

const newStats = (): LoaderStats => ({
  aborted: false,
  loaded: 0,
  retry: 0,
  total: 0,
  chunkCount: 0,
  bwEstimate: 0,
  loading: { start: 0, first: 0, end: 0 },
  parsing: { start: 0, end: 0 },
  buffering: { start: 0, first: 0, end: 0 },
});

/** What hls.js loads with: with the key, and with segments that are here already. */
function loaderClass<Context extends LoaderContext>(
  read: (context: Context) => Promise<string | ArrayBuffer>,
): new () => Loader<Context> {
  return class implements Loader<Context> {
    context: Context | null = null;
    stats = newStats();

    load(context: Context, _config: LoaderConfiguration, callbacks: LoaderCallbacks<Context>): void {
      this.context = context;
      const { stats } = this;
      stats.loading.start = performance.now();
      read(context).then(
        (data) => {
          if (stats.aborted) return;
          const bytes = typeof data === 'string' ? data.length : data.byteLength;
          stats.loading.first = Math.max(performance.now(), stats.loading.start);
          stats.loading.end = stats.loading.first;
          stats.loaded = bytes;
          stats.total = bytes;
          callbacks.onSuccess({ url: context.url, data }, stats, context, null);
        },
        (error: unknown) => {
          if (stats.aborted) return;
          const code = error instanceof Problem ? error.status : 0;
          callbacks.onError({ code, text: String(error) }, context, null, stats);
        },
      );
    }

    abort(): void {
      this.stats.aborted = true;
    }

    destroy(): void {
      this.abort();
    }
  };
}

export interface HlsSource {
  url: string;
  /** The playlist for `url`, so that it need not be requested. */
  text?: string;
  /** Where to begin, in seconds. */
  at: number;
}

/** Plays a playlist in `video`. @returns a function that stops it */
export async function openHls(video: HTMLVideoElement, { url, text, at }: HlsSource): Promise<Hls> {
  const { default: Hls } = await loadHls();
  const config: Partial<HlsConfig> = {
    // Our fragments need so little remuxing that a worker is not worth its start.
    enableWorker: false,
    startPosition: at,
    maxBufferLength: 20,
    backBufferLength: 30,
    startFragPrefetch: true,
    pLoader: loaderClass<PlaylistLoaderContext>(async (context) =>
      text !== undefined && context.url.endsWith(url) ? text : (await send(context.url)).text(),
    ),
    fLoader: loaderClass<FragmentLoaderContext>(async ({ url: address, rangeStart, rangeEnd }) => {
      const range = rangeEnd ? { start: rangeStart ?? 0, end: rangeEnd } : undefined;
      return (await segmentBytes(address, range)).bytes;
    }),
  };
  const hls = new Hls(config);
  hls.on(Hls.Events.ERROR, (_event, { fatal, type, response }) => {
    if (!fatal) return;
    if (type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError();
    // The addresses of a playlist that has been open for long have expired.
    else if (response?.code === 403) hls.loadSource(url);
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  return hls;
}
