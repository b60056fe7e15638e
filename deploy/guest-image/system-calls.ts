import { writeFile } from 'node:fs/promises';
import type { Architecture } from '../../pool/images/manifest.ts';
import { BuildFailure, run } from '../image/command.ts';
import { machines } from './machines.ts';
import type { GuestServiceName } from './services.ts';

/** What any program of the C library does, and Node with its threads and its just-in-time compiler. */
const program = [
  ...['execve', 'brk', 'mmap', 'munmap', 'mprotect', 'mremap', 'madvise', 'membarrier', 'futex'],
  ...[
    'fork',
    'vfork',
    'clone',
    'clone3',
    'exit',
    'exit_group',
    'wait4',
    'waitid',
    'kill',
    'tgkill',
    'restart_syscall',
  ],
  ...[
    'set_tid_address',
    'set_robust_list',
    'rseq',
    'arch_prctl',
    'prctl',
    'prlimit64',
    'getrlimit',
  ],
  ...['rt_sigaction', 'rt_sigprocmask', 'rt_sigreturn', 'sigaltstack', 'getrandom', 'sched_yield'],
  ...['sched_getaffinity', 'sched_getparam', 'sched_getscheduler', 'pkey_alloc', 'pkey_free'],
  ...['pkey_mprotect', 'uname', 'sysinfo', 'getrusage', 'times', 'umask'],
  ...['getpid', 'gettid', 'getppid', 'getuid', 'geteuid', 'getgid', 'getegid', 'capget', 'setsid'],
  ...['clock_gettime', 'clock_getres', 'clock_nanosleep', 'nanosleep', 'gettimeofday', 'time'],
];

/** Files and directories; `ioctl` is how libuv tells terminals, and how devices are used. */
const files = [
  ...['read', 'readv', 'pread64', 'preadv', 'preadv2', 'write', 'writev', 'pwrite64', 'pwritev'],
  ...['pwritev2', 'open', 'openat', 'close', 'close_range', 'lseek', 'fcntl', 'flock', 'ioctl'],
  ...['stat', 'fstat', 'lstat', 'newfstatat', 'statx', 'access', 'faccessat', 'faccessat2'],
  ...['getcwd', 'readlink', 'readlinkat', 'getdents64', 'mkdir', 'mkdirat', 'rmdir', 'unlink'],
  ...['unlinkat', 'rename', 'renameat', 'renameat2', 'truncate', 'ftruncate', 'fallocate', 'fsync'],
  ...['fdatasync', 'fadvise64', 'chmod', 'fchmod', 'fchmodat', 'utimensat', 'copy_file_range'],
  ...['sendfile', 'dup', 'dup2', 'dup3', 'pipe', 'pipe2'],
];

/** Waiting for several things, and talking by sockets. */
const sockets = [
  ...[
    'poll',
    'ppoll',
    'select',
    'pselect6',
    'epoll_create1',
    'epoll_ctl',
    'epoll_wait',
    'epoll_pwait',
    'eventfd2',
  ],
  ...['socket', 'socketpair', 'bind', 'listen', 'accept', 'accept4', 'connect', 'shutdown'],
  ...['getsockname', 'getpeername', 'getsockopt', 'setsockopt', 'sendto', 'recvfrom', 'sendmsg'],
  ...['sendmmsg', 'recvmsg', 'recvmmsg'],
];

const all = [...program, ...files, ...sockets];

/**
 * What each service may ask of its kernel; null: anything. What is not named is refused, with EPERM: mounting,
 * tracing and reading other processes, other users, namespaces, modules, io_uring, keys, clocks. That a call
 * is named and an architecture has none of its name is no mistake: a newer one stands for it there.
 */
export const systemCalls: Readonly<Record<GuestServiceName, readonly string[] | null>> = {
  // Pages that libxenctrl hands to the hypervisor must not be moved.
  xenstore: [...all, 'mlock', 'munlock'],
  consensus: all,
  // Both run a program besides, which asks for no more.
  network: all,
  // How full an SR is.
  storage: [...all, 'statfs', 'fstatfs'],
  // It was not tried with a filter: its libraries ask the hypervisor for everything.
  'vm-lifecycle': null,
};

/** Names and their numbers, as the compiler's headers of an architecture have them. */
const answer = /^call_([a-z0-9_]+) (\d+)$/gm;

/**
 * The numbers of the calls that a service may make, smallest first, for an architecture's kernel; none: it is
 * not restricted.
 */
export async function callNumbers(
  service: GuestServiceName,
  architecture: Architecture,
  scratch: string,
): Promise<readonly number[]> {
  const named = systemCalls[service];
  if (named === null) return [];
  const source = `${scratch}/calls.c`;
  const lines = named.map((name) => `call_${name} SYS_${name}`);
  await writeFile(source, ['#include <sys/syscall.h>', ...lines, ''].join('\n'));
  const text = await run(machines[architecture].compiler.program, ['-E', '-P', source]);
  const numbers = [...text.matchAll(answer)].map(([, , number]) => Number(number));
  // The newer half of them is everywhere.
  if (numbers.length < lines.length / 2)
    throw new BuildFailure(`the compiler for ${architecture} does not know its system calls`);
  return [...new Set(numbers)].sort((one, other) => one - other);
}
