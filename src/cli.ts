#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import type { DeadLetterOptions } from './cli/deadLetter.ts';
import { EXIT, reportError } from './cli/exit.ts';
import { untilInterrupted } from './cli/interrupt.ts';
import { runUntilSignal } from './cli/runUntilSignal.ts';
import { loadConfig } from './config.ts';
import { packageVersion } from './version.ts';

/*
 * Each command loads only what it needs. The server, the queue and their libraries take a second to load, and help or
 * `validate` need none of them.
 */
const app = () => import('./app.ts');
const deadLetters = () => import('./cli/deadLetter.ts');
const jobFiles = () => import('./cli/jobFile.ts');
const stores = () => import('./cli/store.ts');

/** For commands that do not listen: they must not fail because HOST would need API keys. */
const withoutHost = { ...process.env, HOST: undefined };

const program = new Command('preview-worker')
  .description('Turns storyboards into video previews.')
  .version(packageVersion)
  .exitOverride()
  .showHelpAfterError('(see preview-worker --help)');

program
  .command('serve')
  .description('run API and worker in one process, with the embedded queue unless REDIS_URL is set')
  .action(async () => runUntilSignal((await app()).startServe, () => loadConfig(process.env)));
program
  .command('api')
  .description('run the API')
  .action(async () => runUntilSignal((await app()).startApi, () => loadConfig(process.env)));
program
  .command('worker')
  .description('run a worker')
  .action(async () => runUntilSignal((await app()).startWorker, () => loadConfig(withoutHost)));
program
  .command('render')
  .description('render a job file without a queue')
  .argument('<job.json>')
  .requiredOption('--out <folder>', 'folder for the artifacts')
  .action((file: string, { out }: { out: string }) =>
    untilInterrupted(async (signal) =>
      (await jobFiles()).renderFile(file, out, loadConfig(withoutHost), signal),
    ),
  );
program
  .command('validate')
  .description('check a job file and print each mistake on its own line')
  .argument('<job.json>')
  .action(async (file: string) => (await jobFiles()).validateFile(file));
program
  .command('demo')
  .description('start the service, render the example over HTTP, and download the result')
  .action(() => untilInterrupted(async (signal) => (await import('./cli/demo.ts')).demo(signal)));

program
  .command('doctor')
  .description(
    'check settings, queue, store, fonts, codecs, clocks and limits; exit with 1 if the service cannot work',
  )
  .option('--json', 'print the findings as JSON')
  .action(async (options: { json?: boolean }) =>
    (await import('./cli/doctor.ts')).doctor(options, () => loadConfig(withoutHost)),
  );

const deadLetter = program
  .command('dead-letter')
  .description('look at jobs that failed for good, replay or discard them');
const project = ['--project <id>', 'the project, if several have a job with this id'] as const;
deadLetter
  .command('list')
  .description('list all dead letters, the newest first')
  .option('--project <id>', 'only dead letters of this project')
  .action(async (options: DeadLetterOptions) =>
    (await deadLetters()).listDeadLetters(options, loadConfig(withoutHost)),
  );
deadLetter
  .command('show')
  .description('print one as JSON: the job, the error and each attempt')
  .argument('<jobId>')
  .option(...project)
  .action(async (jobId: string, options: DeadLetterOptions) =>
    (await deadLetters()).showDeadLetter(jobId, options, loadConfig(withoutHost)),
  );
deadLetter
  .command('replay')
  .description('send the job again')
  .argument('<jobId>')
  .option(...project)
  .action(async (jobId: string, options: DeadLetterOptions) =>
    (await deadLetters()).replayDeadLetter(jobId, options, loadConfig(withoutHost)),
  );
deadLetter
  .command('discard')
  .description('remove the dead letter; the record still says that the job failed')
  .argument('<jobId>')
  .option(...project)
  .action(async (jobId: string, options: DeadLetterOptions) =>
    (await deadLetters()).discardDeadLetter(jobId, options, loadConfig(withoutHost)),
  );

const store = program.command('store').description('check and clean the store in DATA_DIR');
store
  .command('verify')
  .description('compare every file with its digest; exit with 1 if there is damage')
  .option('--remove-damaged', 'remove damaged objects; parts are rendered again when needed')
  .action(async (options: { removeDamaged?: boolean }) =>
    (await stores()).verify(options, loadConfig(withoutHost)),
  );
store
  .command('gc')
  .description('remove what is older than PREVIEW_RETENTION_DAYS and no longer needed')
  .option('--dry-run', 'only print what would be removed')
  .action(async (options: { dryRun?: boolean }) =>
    (await stores()).collect(options, loadConfig(withoutHost)),
  );

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  else process.exitCode = reportError(error);
}
