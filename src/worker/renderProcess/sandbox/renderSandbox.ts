import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Confinement, confine, knownConfinement, type Rule } from './confine.ts';
import { sweepWorkFolders } from './workFolder.ts';

/** What a render process may use; nothing here is a promise, a process may end long before. */
export interface SandboxLimits {
  memoryBytes: number;
  /** In its whole life. */
  cpuSeconds: number;
}

/** Starts processes that decode what strangers send, with as few rights as this machine can take away. */
export interface RenderSandbox {
  limits: SandboxLimits;
  /** Each mechanism that could not be had, with what to do about it. */
  missing: readonly string[];
  /**
   * @param command the program and its arguments
   * @param rules the files and folders that are its own
   * @returns what to start instead; the process keeps its id
   */
  wrap(command: readonly string[], rules: readonly Rule[]): [string, ...string[]];
}

/** An hour of mixed sound is 1.4 GB; nothing that is made is larger. */
const MAX_FILE_BYTES = 4 * 1024 ** 3;
const MAX_OPEN_FILES = 256;
/** The limit counts what may be written to, also where it never is: stacks of threads, what V8 sets aside. */
const UNTOUCHED_BYTES = 512 * 1024 ** 2;

const PRLIMIT = '/usr/bin/prlimit';
const UNSHARE = '/usr/bin/unshare';

/** What Node.js, the C library, FFmpeg and libvips read of a machine. */
const MACHINE: readonly Rule[] = [
  ...['/lib', '/lib64', '/usr/lib', '/usr/lib64', '/usr/local/lib'].map((path): Rule => ['execute', path]),
  ...[
    ...['/etc/ld.so.cache', '/etc/ssl/openssl.cnf', '/etc/localtime', '/usr/share/zoneinfo'],
    ...['/proc/self', '/proc/meminfo', '/proc/cpuinfo'],
    ...['/proc/stat', '/proc/version', '/proc/sys/vm/overcommit_memory', '/sys/devices/system/cpu'],
    ...['/sys/fs/cgroup', '/dev/urandom', '/dev/random'],
  ].map((path): Rule => ['read', path]),
  ['write', '/dev/null'],
];

/**
 * Tries out what this machine grants, and removes what killed processes have left.
 * @param options.isBuilt false where processes run from TypeScript: the loader itself starts processes
 */
export function createRenderSandbox(
  limits: SandboxLimits = { memoryBytes: 1.5 * 1024 ** 3, cpuSeconds: 3600 },
  { isBuilt = import.meta.url.endsWith('.js') }: { isBuilt?: boolean } = {},
): RenderSandbox {
  void sweepWorkFolders();
  const missing: string[] = [];
  const limiter = tryLimits(limits, missing);
  const confinement = isBuilt ? tryConfinement(missing) : {};
  if (!isBuilt)
    missing.push('confinement: render processes run from sources, whose loader starts processes; build');
  const network = confinement.filter || !isBuilt ? [] : tryNamespace(missing);
  return {
    limits,
    missing,
    wrap(command, own) {
      const rules = [...MACHINE, ...rulesOfCode(), ...own];
      const inside = confinement.filter || confinement.ruleset ? confine(confinement, rules) : [];
      return [...limiter, ...network, ...inside, ...command] as [string, ...string[]];
    },
  };
}

function tryLimits({ memoryBytes, cpuSeconds }: SandboxLimits, missing: string[]): string[] {
  // At the first limit of CPU time comes a signal of its own, at the second SIGKILL.
  const limiter = [
    ...[PRLIMIT, '--core=0', `--fsize=${MAX_FILE_BYTES}`, `--nofile=${MAX_OPEN_FILES}`],
    ...[`--data=${memoryBytes + UNTOUCHED_BYTES}`, `--cpu=${cpuSeconds}:${cpuSeconds + 5}`, '--'],
  ];
  if (runs([...limiter, process.execPath, '--version'])) return limiter;
  missing.push(
    'limits of memory, CPU time, file size and open files: prlimit does not work; install util-linux',
  );
  return [];
}

function tryConfinement(missing: string[]): Confinement {
  const known = knownConfinement();
  const works = (confinement: Confinement): boolean =>
    runs([...confine(confinement, [...MACHINE, ...rulesOfCode()]), process.execPath, '--version']);
  if (known.filter && known.ruleset && works(known)) return known;
  const { filter, ruleset } = known;
  const granted: Confinement = {
    ...(filter && works({ filter }) ? { filter } : {}),
    ...(ruleset && works({ ruleset }) ? { ruleset } : {}),
  };
  if (!granted.filter)
    missing.push('system call filter: it needs perl and a kernel with seccomp, on x64 or arm64');
  if (!granted.ruleset)
    missing.push(
      'files: they need perl and Landlock; use Linux 5.19 or newer with "landlock" in its list of LSMs',
    );
  return granted;
}

/** A network of its own, without any interface that is up: a fallback where the filter cannot refuse sockets. */
function tryNamespace(missing: string[]): string[] {
  const isRoot = process.getuid?.() === 0;
  const unshare = [UNSHARE, '--net', ...(isRoot ? [] : ['--user', '--map-current-user']), '--'];
  if (runs([...unshare, process.execPath, '--version'])) return unshare;
  missing.push(
    'network: neither the system call filter nor a network namespace (unshare) can be had; allow user namespaces',
  );
  return [];
}

function runs([command = '', ...args]: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', env: {} }).status === 0;
}

/** Node.js, this package, and the packages it may be installed beside. */
function rulesOfCode(): Rule[] {
  const root = resolve(fileURLToPath(new URL('../../../..', import.meta.url)));
  const rules: Rule[] = [['execute', realpathSync(process.execPath)]];
  for (const name of ['dist', 'package.json', 'schemas', 'fonts']) rules.push(['read', join(root, name)]);
  for (let folder = root; ; folder = dirname(folder)) {
    rules.push(['read', join(folder, 'node_modules')]);
    if (folder === dirname(folder)) return rules;
  }
}

/** For a process that serves tasks of at most `seconds` each until it has used up its half. */
export const cpuSecondsFor = (seconds: number): number => 2 * seconds * availableParallelism();
