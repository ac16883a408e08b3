import { SingleBar } from 'cli-progress';
import type { Artifact, Progress, StageTimings } from '../job/jobRecord.ts';

export interface ProgressDisplay {
  show(progress: Progress): void;
  /** To be called however the work ends: it gives the terminal its cursor back. */
  stop(): void;
}

/** A bar in a terminal; in a log, a line for each stage. */
export function showProgress(): ProgressDisplay {
  return process.stdout.isTTY ? progressBar() : progressLines();
}

function progressBar(): ProgressDisplay {
  const bar = new SingleBar({
    format: '  {bar}  {percentage} %  {stage}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 32,
    hideCursor: true,
    stream: process.stdout,
  });
  bar.start(100, 0, { stage: 'queued' });
  return {
    show: ({ percent, stage }) => bar.update(percent, { stage }),
    stop: () => bar.stop(),
  };
}

function progressLines(): ProgressDisplay {
  let last = '';
  return {
    show({ percent, stage }) {
      if (stage !== last) console.log(`  ${String(percent).padStart(3)} %  ${stage}`);
      last = stage;
    },
    stop: () => undefined,
  };
}

/** A line for each artifact; `note` ends each of them. */
export function artifactTable(artifacts: readonly Artifact[], note = ''): string {
  const width = Math.max(...artifacts.map(({ name }) => name.length));
  const line = (name: string, bytes: string, digest: string, last: string): string =>
    `  ${name.padEnd(width)}  ${bytes.padStart(9)}  ${digest.padEnd(12)}  ${last}`.trimEnd();
  return [
    line('name', 'size', 'sha256', ''),
    ...artifacts.map(({ name, bytes, sha256 }) => line(name, formatBytes(bytes), sha256.slice(0, 12), note)),
  ].join('\n');
}

export function formatBytes(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}

/** How long each stage took; the sum is more than the whole, because stages run side by side. */
export function timingLine(timings: StageTimings): string {
  const stages = Object.entries(timings).map(([stage, ms]) => `${stage} ${(ms / 1000).toFixed(2)} s`);
  return `  Stages, side by side: ${stages.join(', ')}`;
}
