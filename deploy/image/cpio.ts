/** One entry of an archive: a directory, a symbolic link, a character device, or a file. */
export type ArchiveEntry =
  | { readonly path: string; readonly kind: 'directory' }
  | { readonly path: string; readonly kind: 'link'; readonly target: string }
  | {
      readonly path: string;
      readonly kind: 'device';
      readonly major: number;
      readonly minor: number;
    }
  | {
      readonly path: string;
      readonly kind: 'file';
      readonly content: Uint8Array;
      readonly mode: number;
    };

/**
 * Writes an archive in the "newc" format of cpio, which Linux unpacks as its initial root file
 * system (the kernel's Documentation/driver-api/early-userspace/buffer-format.rst). Everything
 * belongs to root and carries the date 0: the same entries give the same bytes.
 */
export function cpioArchive(entries: readonly ArchiveEntry[]): Buffer {
  const parts = entries.flatMap((entry, index) => record(entry, index + 1));
  parts.push(...record({ path: 'TRAILER!!!', kind: 'file', content: Buffer.alloc(0), mode: 0 }, 0));
  return Buffer.concat(parts);
}

const fileTypes = {
  directory: 0o040755,
  link: 0o120777,
  device: 0o020600,
  file: 0o100000,
} as const;

function record(entry: ArchiveEntry, inode: number): Buffer[] {
  const content =
    entry.kind === 'file'
      ? Buffer.from(entry.content)
      : Buffer.from(entry.kind === 'link' ? entry.target : '');
  const mode = fileTypes[entry.kind] | (entry.kind === 'file' ? entry.mode : 0);
  const [major, minor] = entry.kind === 'device' ? [entry.major, entry.minor] : [0, 0];
  const name = Buffer.from(`${entry.path}\0`);
  const links = entry.kind === 'directory' ? 2 : 1;
  // inode, mode, uid, gid, links, date, size, the device's numbers, the name's length, no checksum
  const fields = [inode, mode, 0, 0, links, 0, content.length, 0, 0, major, minor, name.length, 0];
  const head = Buffer.concat([
    Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`),
    name,
  ]);
  return [aligned(head), aligned(content)];
}

function aligned(part: Buffer): Buffer {
  return Buffer.concat([part, Buffer.alloc((4 - (part.length % 4)) % 4)]);
}
