/** How a host is started, besides its files. */
export interface BootWords {
  /** For the hypervisor. */
  readonly xen: string;
  /** For the control domain's kernel. */
  readonly kernel: string;
}

/** Disks of a host, as the control domain's kernel names them. */
export interface HostDisks {
  /** With an ext4: what the host keeps. */
  readonly data: string;
  /** With `images.squashfs`. */
  readonly images: string;
  /** With the seed. */
  readonly seed: string;
}

const mebibyte = 2 ** 20;

/**
 * The words that a host is started with. `controlDomain` is the manifest of the control domain's image, whose
 * memory is fixed: what the hypervisor has besides is the guests'.
 */
export function bootWords(
  controlDomain: { readonly commandLine: string; readonly memory: number },
  disks: HostDisks,
  xenWords: string,
): BootWords {
  const memory = `${controlDomain.memory / mebibyte}M`;
  return {
    xen: `dom0_mem=${memory},max:${memory} ${xenWords}`.trim(),
    kernel: [
      controlDomain.commandLine,
      ...[`flotilla.data=${disks.data}`, `flotilla.images=${disks.images}`],
      `flotilla.host-seed=${disks.seed}`,
    ].join(' '),
  };
}

/** An entry for GRUB's menu, which has the files of the image in /flotilla of its own file system. */
export function grubEntry(
  words: BootWords,
  files: Readonly<Record<'kernel' | 'initramfs', string>>,
) {
  return `menuentry "Flotilla" {
  multiboot2 /flotilla/xen ${words.xen}
  module2 /flotilla/${files.kernel} ${words.kernel}
  module2 --nounzip /flotilla/${files.initramfs}
}
`;
}
