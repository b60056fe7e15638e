import type { Bytes, Milliseconds } from './units.ts';

/**
 * The bounds of the pool, in one place: what a request may ask for, how long a queue may grow.
 * A value outside its bound is refused with an error that names the bound.
 */
export const bounds = {
  /** Longest name of a VM, host, SR, VDI or network, in characters. */
  nameLength: 63,
  /** Hosts in one pool. */
  hosts: 64,
  /** VMs placed on one host. */
  vmsPerHost: 1000,
  /** Least and most memory of one VM. 12 TiB is what Xen 4.17 supports for a guest. */
  vmMemoryMin: (4 * 2 ** 20) as Bytes,
  vmMemoryMax: (12 * 2 ** 40) as Bytes,
  /** Virtual CPUs of one VM: what Xen 4.17 supports for a PV guest. */
  vmVcpus: 512,
  /** Disks and network interfaces of one VM. */
  vmDisks: 16,
  vmNics: 8,
  /** Least and most virtual size of one disk image; the least is one sector. */
  vdiSizeMin: 512 as Bytes,
  vdiSizeMax: (64 * 2 ** 40) as Bytes,
  /** A kernel's command line, in characters. */
  kernelCommandLine: 4096,
  /** Items of one page of a List call, and what it is when the caller does not say. */
  pageSizeMax: 1000,
  pageSizeDefault: 100,
  /** What a console keeps for those who attach later. */
  consoleScrollback: (256 * 2 ** 10) as Bytes,
  /** One gRPC message; etcd's default is the same order (1.5 MiB requests). */
  messageSize: (4 * 2 ** 20) as Bytes,
  /** Events that a watcher may leave unread before its stream is ended with RESOURCE_EXHAUSTED. */
  watchBacklog: 10_000,
  /** A unary call without a deadline gets this one. */
  defaultDeadline: 30_000 as Milliseconds,
  /** Ended operations that the pool database keeps, newest first. */
  endedOperations: 1000,
} as const;
