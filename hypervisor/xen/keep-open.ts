import koffi from 'koffi';
import { fail, ok, type Result } from '../../base/result.ts';
import { lastError } from './kernel.ts';

/** F_SETFD of fcntl(2); of the flags that it sets there is one, FD_CLOEXEC. */
const setFlags = 2;

/**
 * Has a descriptor of this process stay open when the process becomes another program: Node opens all
 * of its own with FD_CLOEXEC, and has no call that takes it back.
 */
export function keepOpenAcrossExec(descriptor: number): Result<void, string> {
  const fcntl = koffi.load('libc.so.6').func('int fcntl(int fd, int command, ...)');
  if (fcntl(descriptor, setFlags, 'int', 0) === 0) return ok(undefined);
  return fail(`descriptor ${descriptor} cannot be kept open: ${lastError()}`);
}
