#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { startApi, startServe, startWorker } from './app.ts';
import { demo } from './cli/demo.ts';
import { EXIT, reportError } from './cli/exit.ts';
import { untilInterrupted } from './cli/interrupt.ts';
import { renderFile, validateFile } from './cli/jobFile.ts';
import { runUntilSignal } from './cli/runUntilSignal.ts';
import { loadConfig } from './config.ts';
import { packageVersion } from './version.ts';

/** Commands that listen nowhere do not care whether HOST needs API keys. */
const withoutHost = { ...process.env, HOST: undefined };

const program = new Command('preview-worker')
  .description('Turns storyboards into video previews.')
  .version(packageVersion)
  .exitOverride()
  .showHelpAfterError('(see preview-worker --help)');

program
  .command('serve')
  .description('API and worker in one process, with the embedded queue unless REDIS_URL is set')
  .action(() => runUntilSignal(startServe, loadConfig(process.env)));
program
  .command('api')
  .description('the API alone')
  .action(() => runUntilSignal(startApi, loadConfig(process.env)));
program
  .command('worker')
  .description('a worker alone')
  .action(() => runUntilSignal(startWorker, loadConfig(withoutHost)));
program
  .command('render')
  .description('render a job file without a queue')
  .argument('<job.json>')
  .requiredOption('--out <folder>', 'where the artifacts are written')
  .action((file: string, { out }: { out: string }) =>
    untilInterrupted((signal) => renderFile(file, out, loadConfig(withoutHost), signal)),
  );
program
  .command('validate')
  .description('check a job file; each error on a line of its own')
  .argument('<job.json>')
  .action((file: string) => validateFile(file));
program
  .command('demo')
  .description('start the service, render the example over HTTP, download and check what it made')
  .action(() => untilInterrupted(demo));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  else process.exitCode = reportError(error);
}
