import test from 'ava';
import { attempt } from './failures.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

const meanings = [
  ['ENOSPC', 'NO_SPACE', 'its file system is full'],
  ['EDQUOT', 'NO_SPACE', 'its quota is used up'],
  ['EFBIG', 'NO_SPACE', 'its file system cannot hold so large a file'],
  ['EIO', 'STORAGE', 'the disk underneath failed'],
  ['EROFS', 'STORAGE', 'its file system is read-only'],
  ['EACCES', 'STORAGE', 'access is denied'],
  ['EXDEV', 'STORAGE', 'the system answered EXDEV'],
] as const;

for (const [code, reason, why] of meanings)
  test(`${code} is ${reason}, and the operator is told what to do`, async (t) => {
    const result = await attempt('make an image', '/srv/sr', () => {
      throw systemError(code);
    });
    const message = `cannot make an image in /srv/sr: ${why} (${code})`;
    t.like(result, { ok: false, error: { reason, message } });
    t.not(result.ok ? '' : result.error.remedy, '');
  });

test('a bug is no failure of the disk', async (t) => {
  const bug = attempt('make an image', '/srv/sr', () => {
    throw new TypeError('a bug');
  });
  await t.throwsAsync(bug, { instanceOf: TypeError });
});
