import test from 'ava';
import { cpioArchive } from '../../image/cpio.ts';
import { fileInArchive } from './archive.ts';

test('a file is found by its path, whatever is beside it; another path has none', (t) => {
  const entries = ['a', 'plan', 'plan/b'].map((path, index) => {
    const content = Buffer.from(path.repeat(index + 1));
    return { path, kind: 'file', content, mode: 0o644 } as const;
  });
  const archive = cpioArchive([{ path: 'modules', kind: 'directory' }, ...entries]);
  for (const { path, content } of entries) t.deepEqual(fileInArchive(archive, path), content);
  t.is(fileInArchive(archive, 'pla'), null);
  t.throws(() => fileInArchive(Buffer.alloc(200), 'plan'), { message: /no record at 0/ });
});
