import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../base/command.ts';
import { milliseconds } from '../../base/units.ts';

/** It copies some 60 MB. */
const patience = milliseconds(120_000);

/** The end of the line of the entry that has the words of the control domain's kernel. */
const kernelLine = /^( {2}module2 \/flotilla\/\S+ .*)$/m;

/**
 * Writes a disc that boots a host image by GRUB, with the entry that the image has for GRUB's menu; `words` are added
 * for the control domain's kernel. Returns its file. It takes Debian's grub-pc-bin, xorriso and mtools.
 */
export async function writeBootDisc(
  image: string,
  words: readonly string[],
  directory: string,
): Promise<string> {
  const tree = join(directory, 'disc');
  await mkdir(join(tree, 'boot/grub'), { recursive: true });
  await mkdir(join(tree, 'flotilla'));
  for (const name of ['xen', 'vmlinuz', 'initramfs.img'])
    await copyFile(join(image, name), join(tree, 'flotilla', name));
  const entry = await readFile(join(image, 'grub.cfg'), 'utf8');
  if (!kernelLine.test(entry)) throw new Error(`the entry has no control domain:\n${entry}`);
  const menu = entry.replace(kernelLine, (line) => [line, ...words].join(' '));
  await writeFile(
    join(tree, 'boot/grub/grub.cfg'),
    `serial\nterminal_output serial\nset timeout=0\n${menu}`,
  );
  const disc = join(directory, 'boot.iso');
  const made = await runCommand('grub-mkrescue', ['-o', disc, tree], patience);
  if (made.ok) return disc;
  const { kind, detail } = made.error;
  throw new Error(
    kind === 'missing'
      ? 'grub-mkrescue is missing: apt-get install grub-common grub-pc-bin xorriso mtools'
      : `grub-mkrescue: ${detail}`,
  );
}
