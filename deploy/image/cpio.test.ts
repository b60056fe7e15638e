import test from 'ava';
import { cpioArchive } from './cpio.ts';

/** Reads an archive as the kernel's init/initramfs.c does: headers of 13 numbers, parts padded. */
function read(archive: Buffer): { path: string; mode: number; content: string; device: string }[] {
  const found = [];
  for (let offset = 0; ; ) {
    if (archive.toString('latin1', offset, offset + 6) !== '070701') throw new Error('no header');
    const field = (index: number): number =>
      Number.parseInt(
        archive.toString('latin1', offset + 6 + index * 8, offset + 14 + index * 8),
        16,
      );
    const nameLength = field(11);
    const path = archive.toString('utf8', offset + 110, offset + 110 + nameLength - 1);
    const start = (offset + 110 + nameLength + 3) & ~3;
    const content = archive.toString('utf8', start, start + field(6));
    if (path === 'TRAILER!!!') return found;
    found.push({ path, mode: field(1), content, device: `${field(9)}:${field(10)}` });
    offset = (start + field(6) + 3) & ~3;
  }
}

test('an archive holds each kind of entry, with its type in the mode', (t) => {
  const archive = cpioArchive([
    { path: 'dev', kind: 'directory' },
    { path: 'dev/console', kind: 'device', major: 5, minor: 1 },
    { path: 'sbin/reboot', kind: 'link', target: 'poweroff' },
    { path: 'init', kind: 'file', content: Buffer.from('#!/bin/sh\n'), mode: 0o755 },
  ]);
  t.deepEqual(read(archive), [
    { path: 'dev', mode: 0o040755, content: '', device: '0:0' },
    { path: 'dev/console', mode: 0o020600, content: '', device: '5:1' },
    { path: 'sbin/reboot', mode: 0o120777, content: 'poweroff', device: '0:0' },
    { path: 'init', mode: 0o100755, content: '#!/bin/sh\n', device: '0:0' },
  ]);
});

test('parts of every length are padded to four bytes', (t) => {
  for (let length = 0; length < 9; length += 1) {
    const content = Buffer.alloc(length, 'x');
    const path = 'n'.repeat(length + 1);
    const archive = cpioArchive([{ path, kind: 'file', content, mode: 0o644 }]);
    t.is(archive.length % 4, 0);
    t.deepEqual(
      read(archive).map((entry) => [entry.path, entry.content]),
      [[path, content.toString()]],
    );
  }
});

test('the same entries give the same bytes', (t) => {
  const entries = [{ path: 'a', kind: 'file', content: Buffer.from('b'), mode: 0o600 } as const];
  t.deepEqual(cpioArchive(entries), cpioArchive(entries));
});
