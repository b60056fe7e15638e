import test from 'ava';
import { type DiskOwner, diskFailure } from './disk-failure.ts';

test('a full disk is waited for, one that failed ends the member, which may start again', async (t) => {
  let disk: ReturnType<DiskOwner['disk']> = { state: 'good', error: null };
  let look = () => {};
  const watch = diskFailure({
    disk: () => disk,
    onStatus: (listener) => {
      look = () => Reflect.apply(listener, null, []);
      return () => {
        look = () => {};
      };
    },
  });
  let ended = false;
  void watch.failed.then(() => {
    ended = true;
  });
  disk = { state: 'full', error: { code: 'full', detail: 'no room left' } };
  look();
  await Promise.resolve();
  t.false(ended);
  disk = { state: 'failed', error: { code: 'failed', detail: 'could not write: EIO' } };
  look();
  t.deepEqual(await watch.failed, {
    isFinal: false,
    detail: 'the disk of this member failed: could not write: EIO',
  });
  watch.stop();
});
