/** Lengths of a record's head: its magic, then 13 numbers in eight digits each (cpio's "newc" format). */
const magic = '070701';
const fieldDigits = 8;
const headLength = magic.length + 13 * fieldDigits;

/**
 * The content of a file of an archive that `cpioArchive` wrote; null where there is none of this path.
 * Other bytes than such an archive's are an error.
 */
export function fileInArchive(archive: Buffer, path: string): Buffer | null {
  for (let at = 0; at + headLength <= archive.length; ) {
    if (archive.toString('latin1', at, at + magic.length) !== magic)
      throw new Error(`no archive: it has no record at ${at}`);
    const field = (index: number): number => {
      const start = at + magic.length + index * fieldDigits;
      return Number.parseInt(archive.toString('latin1', start, start + fieldDigits), 16);
    };
    const [size, nameLength] = [field(6), field(11)];
    const content = at + alignedLength(headLength + nameLength);
    const name = archive.toString('utf8', at + headLength, at + headLength + nameLength - 1);
    if (name === path) return archive.subarray(content, content + size);
    at = content + alignedLength(size);
  }
  return null;
}

function alignedLength(length: number): number {
  return Math.ceil(length / 4) * 4;
}
