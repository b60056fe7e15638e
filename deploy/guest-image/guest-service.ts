import type { Manifest } from '../../pool/images/manifest.ts';
import type { KernelOrigin } from './kernel/guest-kernel.ts';

/** A kernel module of a kernel that has modules, and what it is told when it is inserted. */
export interface GuestModule {
  readonly name: string;
  readonly parameters?: string;
}

/** A program of a Debian package that a service runs. */
export interface GuestProgram {
  /** In the package, without a leading slash; in the guest it is there below /usr/lib, or in /usr/sbin. */
  readonly path: string;
  readonly package: string;
  readonly why: string;
}

/** A file of the sources that an image does without, and why its service never needs it there. */
export interface LeftOut {
  /** Relative to the checkout; a folder ends with `/`. */
  readonly path: string;
  readonly why: string;
}

/** What the guest image of a service is made of, and what its guest may do. */
export interface GuestService {
  /** What init starts: `xenstored`, as in `flotilla xenstored`. */
  readonly command: string;
  /** That one and those that it runs, each with the source file that it is loaded from. */
  readonly commands: Readonly<Record<string, string>>;
  /** What follows the command. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly leftOut: readonly LeftOut[];
  /** Shared libraries that are loaded by name while the service runs, and their Debian packages. */
  readonly libraries: readonly { readonly name: string; readonly package: string }[];
  /** Programs that the service runs, by their paths in their Debian packages. */
  readonly programs: readonly GuestProgram[];
  /** Which kernel of Debian's runs it. */
  readonly kernel: Exclude<KernelOrigin, 'specialised'>;
  /** Modules for that kernel, without those that they need. */
  readonly modules: readonly GuestModule[];
  /** Further words for the kernel. */
  readonly kernelWords: readonly string[];
  /** Devices that are given to the service's user. */
  readonly devices: readonly string[];
  readonly ports: Manifest['ports'];
  /** Root has files that others may not open: devices that come and go. It keeps no other capability. */
  readonly runsAsRoot: boolean;
  /** Capabilities of Linux that the service keeps (capability.h), by name and number. */
  readonly capabilities: Readonly<Record<string, number>>;
  /** What its domain may do that others may not, in Xen's words. */
  readonly xenPrivileges: readonly string[];
  /** Where its data disk is mounted; null: it keeps nothing beyond the life of its guest. */
  readonly dataDirectory: string | null;
  /** Where a disk with guest images is mounted, for the control domain. */
  readonly imagesDirectory?: string;
  /** Directories of its own in /run. */
  readonly directories?: readonly string[];
  /** Whether it has pseudo-terminals, for the consoles of guests. */
  readonly terminals?: boolean;
  /** Bytes. */
  readonly memory: number;
  /** Whether it shows init that it does not hang, as `serviceCommand` and the pool database's members do. */
  readonly signsOfLife: boolean;
  /** Whether the service looks at /sys. */
  readonly sysfs: boolean;
  /** Whether its kernel is a client of xenstore, by which the guest can be told to shut down. */
  readonly asksXenbus: boolean;
}
