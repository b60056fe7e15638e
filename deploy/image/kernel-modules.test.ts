import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { insertionOrder } from './kernel-modules.ts';

/** A directory of files with as much of a module as is read: its .modinfo texts. */
async function modules(depends: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'modules-'));
  await mkdir(join(directory, 'kernel/deep'), { recursive: true });
  for (const [name, needs] of Object.entries(depends))
    await writeFile(
      join(directory, 'kernel/deep', `${name}.ko`),
      `\x7fELF\0license=GPL\0depends=${needs}\0retpoline=Y\0`,
    );
  return directory;
}

test('what a module needs comes before it, once', async (t) => {
  const directory = await modules({
    ext4: 'jbd2,mbcache',
    jbd2: '',
    mbcache: '',
    'virtio-blk': 'virtio,virtio_ring',
    virtio: '',
    virtio_ring: 'virtio',
  });
  t.teardown(() => rm(directory, { recursive: true }));
  const order = await insertionOrder(directory, ['virtio_blk', 'ext4', 'virtio-ring']);
  t.deepEqual(
    order.map(({ name }) => name),
    ['virtio', 'virtio_ring', 'virtio_blk', 'jbd2', 'mbcache', 'ext4'],
  );
  t.regex(order[2]?.path ?? '', /kernel\/deep\/virtio-blk\.ko$/);
});

test('a module that the kernel does not have is named', async (t) => {
  const directory = await modules({ ext4: 'jbd2' });
  t.teardown(() => rm(directory, { recursive: true }));
  await t.throwsAsync(insertionOrder(directory, ['ext4']), { message: /has no module jbd2/ });
});
