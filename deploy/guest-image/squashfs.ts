import { BuildFailure, run } from '../image/command.ts';

/**
 * zstd at its best: Node takes 35.4 MB, where xz takes 30.8 MB and is read several times slower, which
 * each start of a guest pays for. Blocks are what is unpacked at once to read one byte: with 1 MiB Node
 * takes 33.2 MB.
 */
const compression = ['-comp', 'zstd', '-Xcompression-level', '22', '-b', '256K'];

/** One owner, no dates, nothing of the machine: equal trees give equal bytes. */
const reproducible = [
  ...['-all-root', '-no-xattrs', '-no-exports', '-no-hardlinks'],
  ...['-mkfs-time', '0', '-all-time', '0', '-root-mode', '755'],
];

/** Data, and what is at the ends of files, as they are: for what is compressed already. */
const asItIs = ['-noD', '-noF'];

/** Packs a directory into a read-only file system of Linux's. */
export async function packSquashfs(
  tree: string,
  file: string,
  content: 'compressed' | 'as it is' = 'compressed',
): Promise<void> {
  // Both mksquashfs's flags for dates and this variable at once are an error.
  const packer = ['-u', 'SOURCE_DATE_EPOCH', 'mksquashfs', tree, file];
  await needProgram('mksquashfs', 'squashfs-tools');
  // Whatever this user's umask: everybody reads, and runs what can be run.
  await run('chmod', ['-R', 'u=rwX,go=rX', tree]);
  await run('env', [
    ...[...packer, '-noappend', '-quiet', '-no-progress'],
    ...[...compression, ...(content === 'as it is' ? asItIs : []), ...reproducible],
  ]);
}

/** Fails, with the Debian package to install, where a program is missing. */
export async function needProgram(program: string, debianPackage: string): Promise<void> {
  await run('which', [program]).catch(() => {
    throw new BuildFailure(
      `${program} is not installed; as root, run: apt-get install ${debianPackage}`,
    );
  });
}
