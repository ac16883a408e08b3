/**
 * A seccomp filter (Documentation/userspace-api/seccomp_filter.rst): what a process that decodes has no business with.
 * It opens no socket, starts no process, and looks into no other one; threads are allowed.
 */

/** System calls that fail as if the user may not, by their numbers. */
const REFUSED: Record<'x64' | 'arm64', readonly number[]> = {
  x64: [
    // socket, connect, bind, socketpair; ptrace, process_vm_readv, process_vm_writev, pidfd_getfd
    ...[41, 42, 49, 53, 101, 310, 311, 438],
    // fork, vfork, execveat
    ...[57, 58, 322],
    // unshare, setns, chroot, pivot_root, mount, umount2, open_tree … fsmount, mount_setattr, open_by_handle_at
    ...[272, 308, 161, 155, 165, 166, 428, 429, 430, 431, 432, 442, 304],
    // bpf, perf_event_open, userfaultfd, io_uring_setup, add_key, request_key, keyctl, modules, kexec, personality
    ...[321, 298, 323, 425, 248, 249, 250, 175, 313, 246, 320, 135],
  ],
  arm64: [
    ...[198, 203, 200, 199, 117, 270, 271, 438],
    ...[281],
    ...[97, 268, 51, 41, 40, 39, 428, 429, 430, 431, 432, 442, 265],
    ...[280, 241, 282, 425, 217, 218, 219, 105, 273, 104, 294, 92],
  ],
};
const CLONE = { x64: 56, arm64: 220 };
const CLONE3 = 435;
/** linux/audit.h: of the calling convention that the numbers above belong to. */
const AUDIT_ARCH = { x64: 0xc000003e, arm64: 0xc00000b7 };
/** Numbers from here on are those of x32, another convention that has the same architecture. */
const X32 = 0x40000000;
const CLONE_THREAD = 0x10000;

const [EPERM, EACCES, ENOSYS] = [1, 13, 38];
const [KILL, ERRNO, ALLOW] = [0x80000000, 0x00050000, 0x7fff0000];

/** struct seccomp_data: the call's number, the architecture, the lower half of its first argument. */
const [NUMBER, ARCHITECTURE, FIRST_ARGUMENT] = [0, 4, 16];

/** Opcodes of classic BPF (linux/filter.h): load a word, jump where equal, at least, any bit set; return. */
const [LOAD, IF_EQUAL, IF_AT_LEAST, IF_ANY_BIT, RETURN] = [0x20, 0x15, 0x35, 0x45, 0x06];

/** The filter as an array of `struct sock_filter`; undefined for a processor whose numbers are not known here. */
export function systemCallFilter(architecture: string): Buffer | undefined {
  if (architecture !== 'x64' && architecture !== 'arm64') return undefined;
  const refuse = (number: number, errno: number): Buffer[] => [
    instruction(IF_EQUAL, number, 0, 1),
    instruction(RETURN, ERRNO | errno),
  ];
  return Buffer.concat([
    instruction(LOAD, ARCHITECTURE),
    instruction(IF_EQUAL, AUDIT_ARCH[architecture], 1, 0),
    instruction(RETURN, KILL),
    instruction(LOAD, NUMBER),
    instruction(IF_AT_LEAST, X32, 0, 1),
    instruction(RETURN, ERRNO | ENOSYS),
    ...REFUSED[architecture].flatMap((number) => refuse(number, EACCES)),
    // Its flags are in memory, where a filter cannot look; the C library then uses clone.
    ...refuse(CLONE3, ENOSYS),
    instruction(IF_EQUAL, CLONE[architecture], 0, 3),
    instruction(LOAD, FIRST_ARGUMENT),
    instruction(IF_ANY_BIT, CLONE_THREAD, 1, 0),
    instruction(RETURN, ERRNO | EPERM),
    instruction(RETURN, ALLOW),
  ]);
}

function instruction(code: number, value: number, ifTrue = 0, ifFalse = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(value >>> 0, 4);
  return bytes;
}
