import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { kernelNeeds } from './kernel-needs.ts';

const wanted = [{ name: 'xen-evtchn' }, { name: 'xen-privcmd', parameters: 'unrestricted=1' }];

test('a kernel without modules is told by its words what a module would be told', async (t) => {
  t.deepEqual(await kernelNeeds(null, wanted), {
    inserted: [],
    words: ['xen_privcmd.unrestricted=1'],
  });
});

test('what a kernel has built in is not inserted, and the rest is, with what that needs', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-modules-'));
  await mkdir(join(directory, 'kernel'));
  await writeFile(join(directory, 'modules.builtin'), 'kernel/loop.ko\nkernel/xen-evtchn.ko\n');
  for (const [name, needs] of [
    ['squashfs', ''],
    ['xen-privcmd', 'foreign'],
    ['foreign', ''],
  ])
    await writeFile(join(directory, `kernel/${name}.ko`), `\0depends=${needs}\0`);
  const path = (name: string) => join(directory, `kernel/${name}.ko`);
  t.deepEqual(await kernelNeeds(directory, wanted), {
    inserted: [
      { name: 'squashfs', path: path('squashfs') },
      { name: 'foreign', path: path('foreign') },
      { name: 'xen_privcmd', path: path('xen-privcmd'), parameters: 'unrestricted=1' },
    ],
    words: [],
  });
  await rm(directory, { recursive: true });
});
