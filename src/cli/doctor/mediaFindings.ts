import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSandbox } from '../../app/renderParts.ts';
import type { Config } from '../../config.ts';
import type { PreviewJob } from '../../job/previewJob.types.ts';
import { createRenderPool } from '../../worker/renderProcess/renderProcess.ts';
import { type Finding, findingsOf, reasonOf } from './finding.ts';

const fonts = findingsOf('fonts');
const codecs = findingsOf('codecs');
const limits = findingsOf('limits');

const FORMATS = ['mp4', 'webm'] as const;
/** The first render starts a process and loads all fonts. */
const RENDER_MS = 60_000;

/** Renders a title card in each format, in the same kind of process as the service, into a folder that is removed. */
export async function findMedia(config: Config): Promise<Finding[]> {
  const folders = await findFontsFolder(config.fontsDir);
  if (folders.some(({ status }) => status === 'fail')) return folders;
  const folder = await mkdtemp(join(tmpdir(), 'preview-doctor-')).catch(() => undefined);
  if (folder === undefined)
    return [
      ...folders,
      codecs.fail(`${tmpdir()} is not writable.`, 'Make it writable, or set TMPDIR to a folder that is.'),
    ];
  const sandbox = openSandbox(config);
  const pool = createRenderPool(folder, { fontsFolder: config.fontsDir, sandbox });
  const control = { signal: new AbortController().signal, timeoutMs: RENDER_MS, onProgress: () => undefined };
  const findings: Finding[] = [];
  for (const mechanism of sandbox.missing)
    findings.push(limits.warn('Render processes run with less protection than they could.', `${mechanism}.`));
  try {
    for (const format of FORMATS) {
      const started = performance.now();
      try {
        await pool.render({ job: cardIn(format), assets: [] }, { ...control, onComplaint: () => undefined });
        const milliseconds = Math.round(performance.now() - started);
        findings.push(codecs.ok(`A preview was rendered as ${format} in ${milliseconds} ms.`));
      } catch (error) {
        findings.push(codecs.fail(`No preview can be rendered as ${format}: ${reasonOf(error)}.`, ADVICE));
      }
    }
  } finally {
    await pool.close();
    await rm(folder, { recursive: true, force: true });
  }
  // The process loads them before it takes a job, and the card has words.
  const drawn = findings.some(({ subject, status }) => subject === 'codecs' && status === 'ok');
  return [...(drawn ? [fonts.ok('The fonts of the package can be used.')] : []), ...folders, ...findings];
}

const ADVICE =
  'Run `npm ci` again on this machine: node-av and sharp need the binaries for its system and processor. Also make sure that /tmp is writable and 300 MB of memory are free.';

async function findFontsFolder(folder: string | undefined): Promise<Finding[]> {
  if (folder === undefined) return [];
  const names = await readdir(folder).catch(() => undefined);
  const advice = 'Set PREVIEW_FONTS_DIR to a folder with TTF or OTF files.';
  if (!names) return [fonts.fail(`PREVIEW_FONTS_DIR ${folder} cannot be read.`, advice)];
  const usable = names.filter((name) => /\.(ttf|otf)$/i.test(name));
  const webOnly = names.filter((name) => /\.woff2?$/i.test(name));
  if (usable.length === 0) return [fonts.warn(`PREVIEW_FONTS_DIR ${folder} has no TTF or OTF file.`, advice)];
  return [
    fonts.ok(`PREVIEW_FONTS_DIR has ${usable.length} fonts.`),
    ...(webOnly.length > 0 ? [fonts.warn(`${webOnly.join(', ')} cannot be used.`, advice)] : []),
  ];
}

function cardIn(format: (typeof FORMATS)[number]): PreviewJob {
  return {
    jobId: `doctor-${format}`,
    projectId: 'doctor',
    requestId: 'doctor',
    dryRun: false,
    previewRequest: {
      title: 'Preview Worker',
      steps: [],
      assets: [],
      audio: {},
      options: { format, resolution: '160x160', fps: 1, outputs: ['video'] },
    },
  };
}
