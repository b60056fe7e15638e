import { stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { fail, ok, type Result } from '../../../base/result.ts';
import { fromErrno, type OpenError } from './errors.ts';

/** Held until `release`, or until the process ends, however it ends. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Takes a directory for this process alone. The lock is a name in Linux's abstract socket
 * namespace, made of the directory's device and inode: the kernel gives it to one holder and frees
 * it with the process, so that nothing stale can be left behind. It does not reach into other
 * network namespaces: containers must not share a data directory.
 */
export async function lockDirectory(path: string): Promise<Result<DirectoryLock, OpenError>> {
  try {
    const { dev, ino } = await stat(path);
    const server = createServer((socket) => socket.destroy());
    await listen(server, `\0flotilla-data-${dev}-${ino}`);
    server.unref();
    return ok({ release: () => closed(server) });
  } catch (error) {
    const inUse = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    if (!inUse) return fail(fromErrno(error, `lock ${path}`));
    const detail = `another process of this machine uses ${path}; stop it, or name another data directory`;
    return fail({ code: 'locked', detail });
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, resolve);
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
