/**
 * The process in which media is decoded and encoded: whatever native code does, it does it to this process alone.
 * Started by renderProcess.ts with the folders of the store and of fonts as its arguments; without the first the worker
 * uses the store on its behalf. Ends when its parent does.
 */
import { asPreviewError } from '../../errors.ts';
import { quietFfmpeg } from '../../media/ffmpeg.ts';
import { configureSharp } from '../../media/picture/image.ts';
import { loadFonts } from '../../media/text/fonts.ts';
import { planPreview } from '../../render/planPreview.ts';
import { type RenderContext, renderPreview } from '../../render/renderPreview.ts';
import { createBackgroundCache } from '../../render/slides/backgroundCache.ts';
import { createSoundThread } from '../../render/sound/soundThread.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import { createFsStore } from '../../storage/folder/fsStore.ts';
import { endWithParent } from './endWithParent.ts';
import type { RenderAnswer, RenderTask, StopOrder } from './renderProtocol.ts';
import { collectReports } from './reports.ts';
import { tellsOfShortage } from './sandbox/shortage.ts';
import { createChannelStore, type StoreAnswer } from './storeChannel.ts';

const [storeFolder, fontsFolder] = process.argv.slice(2);
if (!process.send) throw new Error('this module is started by the worker');

endWithParent();
// The terminal's Ctrl+C reaches the whole process group; when to stop is the worker's decision.
process.on('SIGINT', () => undefined);

quietFfmpeg();
configureSharp();
await loadFonts(fontsFolder || undefined);
const store = storeFolder ? await createFsStore(storeFolder) : createChannelStore();
const backgrounds = createBackgroundCache();
const makeSoundtrack = createSoundThread();
let control = new AbortController();
process.on('message', (message: RenderTask | StopOrder | StoreAnswer) => {
  if (!('kind' in message)) return;
  if (message.kind === 'stop') {
    control.abort();
    return;
  }
  control = new AbortController();
  void answerTask(message, store, control.signal);
});
answer({ type: 'ready' });

async function answerTask(task: RenderTask, store: ArtifactStore, signal: AbortSignal): Promise<void> {
  const reports = collectReports(answer);
  const context: RenderContext = {
    store,
    assets: task.assets,
    backgrounds,
    makeSoundtrack,
    onProgress: reports.progress,
    onPart: reports.part,
    signal,
  };
  try {
    const done: RenderAnswer =
      task.kind === 'plan'
        ? { type: 'planned', plan: await planPreview(task.job, context) }
        : { type: 'rendered', result: await renderPreview(task.job, context) };
    reports.flush();
    answer(done);
  } catch (thrown) {
    reports.flush();
    const error = asPreviewError(thrown, lacksMemory(thrown) ? 'render_memory_exceeded' : 'render_failed');
    const cause =
      error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause ?? '');
    answer({
      type: 'failed',
      code: error.code,
      message: error.message,
      ...(error.errors ? { errors: error.errors } : {}),
      ...(error.place ? { place: error.place } : {}),
      detail: cause,
    });
  }
}

/** True where an allocation failed, and this process has survived it. */
function lacksMemory(thrown: unknown): boolean {
  return thrown instanceof Error && (tellsOfShortage(thrown.message) || lacksMemory(thrown.cause));
}

function answer(message: RenderAnswer): void {
  if (process.connected) process.send?.(message);
}
