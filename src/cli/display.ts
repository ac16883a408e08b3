import { Presets, SingleBar } from 'cli-progress';
import type { Artifact, Progress, StageTimings } from '../job/jobRecord.ts';

/** A bar in a terminal; in a log, a line for each stage. */
export function progressBar(): { show(progress: Progress): void; stop(): void } {
  if (!process.stdout.isTTY) {
    let stage = '';
    return {
      show(progress) {
        if (progress.stage !== stage)
          console.log(`${String(progress.percent).padStart(3)} %  ${progress.stage}`);
        stage = progress.stage;
      },
      stop: () => undefined,
    };
  }
  const bar = new SingleBar(
    { format: ' {bar} {percentage} %  {stage}', hideCursor: true },
    Presets.shades_classic,
  );
  bar.start(100, 0, { stage: 'queued' });
  return {
    show: ({ percent, stage }) => bar.update(percent, { stage }),
    stop: () => bar.stop(),
  };
}

export function artifactTable(artifacts: readonly Artifact[], note = ''): string {
  const width = Math.max(...artifacts.map(({ name }) => name.length));
  return artifacts
    .map(
      ({ name, bytes, sha256 }) =>
        `  ${name.padEnd(width)}  ${size(bytes).padStart(9)}  ${sha256.slice(0, 12)}${note}`,
    )
    .join('\n');
}

const size = (bytes: number): string =>
  bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;

export function timingLine(timings: StageTimings): string {
  const stages = Object.entries(timings).map(([stage, ms]) => `${stage} ${(ms / 1000).toFixed(2)} s`);
  return `Time by stage (they overlap): ${stages.join(', ')}`;
}
