import { spawnSync } from 'node:child_process';
import { type Access, type Ruleset, rulesetFor } from './landlock.ts';
import { systemCallFilter } from './systemCallFilter.ts';

/** A file or folder that a confined process may use; one that is not there is passed over. */
export type Rule = [access: Access, path: string];

/** Runs a command without new rights, below a system call filter and with a few files only. */
export interface Confinement {
  filter?: Buffer;
  ruleset?: Ruleset;
}

/** Of every Debian's base; a shell cannot make system calls, and no package of ours may bring native code. */
const PERL = '/usr/bin/perl';
const PRCTL: Record<string, number> = { x64: 157, arm64: 167 };

/**
 * Makes the system calls and becomes the command: prctl(PR_SET_NO_NEW_PRIVS), landlock_create_ruleset, _add_rule for each
 * path (opened with O_PATH), _restrict_self, prctl(PR_SET_SECCOMP). Dies where one of them fails.
 */
const PROGRAM = `
  use strict;
  my ($prctl, $filter, $attributes, $of_files) = splice @ARGV, 0, 4;
  syscall($prctl + 0, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!";
  my $set = -1;
  if ($attributes) {
    my $bytes = pack 'H*', $attributes;
    $set = syscall(444, $bytes, length $bytes, 0);
    $set >= 0 or die "landlock_create_ruleset: $!";
  }
  while ((my $rule = shift @ARGV) ne '--') {
    my ($rights, $path) = split /:/, $rule, 2;
    sysopen(my $file, $path, 010000000) or next;
    my $packed = pack 'Ql', (-d $path ? $rights + 0 : ($rights + 0) & ($of_files + 0)), fileno $file;
    syscall(445, $set, 1, $packed, 0) == 0 or die "landlock_add_rule $path: $!";
  }
  if ($set >= 0) { syscall(446, $set, 0) == 0 or die "landlock_restrict_self: $!" }
  if ($filter) {
    my $bytes = pack 'H*', $filter;
    my $program = pack 'S x6 P', length($bytes) / 8, $bytes;
    syscall($prctl + 0, 22, 2, $program, 0, 0) == 0 or die "seccomp: $!";
  }
  exec { $ARGV[0] } @ARGV or die "exec: $!";
`;

/** What this machine's kernel and processor may be asked for; whether they grant it, a try shows. */
export function knownConfinement(): Confinement {
  const filter = systemCallFilter(process.arch);
  const asked = spawnSync(PERL, ['-e', 'print syscall(444, 0, 0, 1)'], { encoding: 'utf8' });
  const ruleset = asked.status === 0 ? rulesetFor(Number(asked.stdout)) : undefined;
  return { ...(filter ? { filter } : {}), ...(ruleset ? { ruleset } : {}) };
}

/** @returns what is to be put before a command, so that its process is confined */
export function confine({ filter, ruleset }: Confinement, rules: readonly Rule[]): string[] {
  return [
    ...[PERL, '-e', PROGRAM, '--', String(PRCTL[process.arch] ?? 0)],
    ...[
      filter?.toString('hex') ?? '',
      ruleset?.attributes.toString('hex') ?? '',
      String(ruleset?.ofFiles ?? 0),
    ],
    ...(ruleset ? rules.map(([access, path]) => `${ruleset.rights[access]}:${path}`) : []),
    '--',
  ];
}
