import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, rmdir, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { runCommand } from '../../../../base/command.ts';
import { bytes, milliseconds } from '../../../../base/units.ts';
import type { VdiId } from '../../../../pool/records/identifiers.ts';
import { openFileStore } from './file-store.ts';

async function inNewFolder(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'file-store-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function opened(directory: string) {
  const store = await openFileStore(directory);
  if (!store.ok) throw new Error(store.error.message);
  return store.value;
}

async function run(program: string, ...args: readonly string[]): Promise<void> {
  const done = await runCommand(program, args, milliseconds(60_000));
  if (!done.ok) throw new Error(`${done.error.command}: ${done.error.detail}`);
}

function mount(directory: string, options: string): Promise<void> {
  return run('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', directory);
}

/** Whether this machine lets this user mount a file system, which takes root. */
async function canMount(): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'file-store-probe-'));
  try {
    await mount(directory, 'size=64k');
    await run('umount', directory);
    return true;
  } catch {
    return false;
  } finally {
    await rmdir(directory);
  }
}

const whereMountable = (await canMount()) ? test : test.skip;

test('an image is sparse: a gibibyte takes no space before it is written', async (t) => {
  await inNewFolder(async (directory) => {
    const store = await opened(directory);
    const image = await store.create(randomUUID() as VdiId, bytes(2 ** 30));
    if (!image.ok) return t.fail(image.error.message);
    const { size, blocks } = await stat(image.value.path);
    t.is(size, 2 ** 30);
    t.true(blocks * 512 < 2 ** 20);
  });
});

test('what a crash left half made or half deleted is removed when the store is opened', async (t) => {
  await inNewFolder(async (directory) => {
    const whole = `${randomUUID()}.raw`;
    await writeFile(join(directory, whole), '');
    await writeFile(join(directory, `${randomUUID()}.raw.making`), '');
    await writeFile(join(directory, `${randomUUID()}.raw.deleting`), '');
    await writeFile(join(directory, 'notes.txt'), '');
    await opened(directory);
    t.deepEqual((await readdir(directory)).sort(), [whole, 'notes.txt'].sort());
  });
});

test('a link in place of an image is never followed', async (t) => {
  await inNewFolder(async (directory) => {
    const store = await opened(directory);
    const id = randomUUID() as VdiId;
    await symlink('/etc/hostname', join(directory, `${id}.raw`));
    t.like(await store.find(id), { ok: false, error: { reason: 'STORAGE' } });
    t.like(await store.create(id, bytes(512)), { ok: false, error: { reason: 'STORAGE' } });
  });
});

test('an SR whose folder is gone says so and what to do', async (t) => {
  const result = await openFileStore('/nonexistent/sr');
  t.like(result, {
    ok: false,
    error: { reason: 'STORAGE', remedy: 'Mount its file system again.' },
  });
});

whereMountable(
  'a full disk is NO_SPACE with a remedy, and nothing is left of the image',
  async (t) => {
    await inNewFolder(async (directory) => {
      const small = join(directory, 'small');
      await mkdir(small);
      // Three inodes: the root's, and two files'. The third file finds the file system full.
      await mount(small, 'size=1m,nr_inodes=3');
      try {
        const store = await opened(small);
        t.true((await store.create(randomUUID() as VdiId, bytes(2 ** 20))).ok);
        t.like(await store.create(randomUUID() as VdiId, bytes(2 ** 20 + 512)), {
          ok: false,
          error: { reason: 'NO_SPACE', field: 'virtual_size' },
        });
        await writeFile(join(small, 'taken'), '');
        const full = await store.create(randomUUID() as VdiId, bytes(512));
        t.like(full, {
          ok: false,
          error: {
            reason: 'NO_SPACE',
            message: `cannot make an image of 512 B in ${small}: its file system is full (ENOSPC)`,
          },
        });
        t.is((await readdir(small)).length, 2);
      } finally {
        await run('umount', small);
      }
    });
  },
);

whereMountable(
  'a file system that turned read-only is STORAGE, and says to check it',
  async (t) => {
    await inNewFolder(async (directory) => {
      const readOnly = join(directory, 'read-only');
      await mkdir(readOnly);
      await mount(readOnly, 'size=1m,ro');
      try {
        const store = await opened(readOnly);
        const refused = await store.create(randomUUID() as VdiId, bytes(512));
        t.like(refused, { ok: false, error: { reason: 'STORAGE' } });
        t.regex(refused.ok ? '' : refused.error.message, /its file system is read-only \(EROFS\)/);
      } finally {
        await run('umount', readOnly);
      }
    });
  },
);
