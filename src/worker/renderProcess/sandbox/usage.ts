import { readFileSync } from 'node:fs';

/** What a process uses. */
export interface Usage {
  /** In memory now. */
  bytes: number;
  cpuSeconds: number;
}

/** Of Linux on all processors that Node runs on (sysconf: _SC_CLK_TCK, _SC_PAGESIZE of kernels with 4 KiB pages). */
const TICKS_A_SECOND = 100;
const PAGE_BYTES = 4096;

/** From proc(5); undefined where the process is gone, or the system is not Linux. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Behind the command's name, which may hold anything; utime is field 14, stime 15, rss 24.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const field = (number: number): number => Number(fields[number - 3]);
    return { bytes: field(24) * PAGE_BYTES, cpuSeconds: (field(14) + field(15)) / TICKS_A_SECOND };
  } catch {
    return undefined;
  }
}
