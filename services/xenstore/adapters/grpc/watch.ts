import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { StreamCall } from '../../../../pool/rpc/handler.ts';
import type { WatchEvent, WatchRequest } from '../../../../proto/gen/flotilla.xenstore.v1.ts';
import { nulTerminated } from '../../core/payload.ts';
import type { Daemon } from '../daemon.ts';
import { LocalClient } from '../local-client.ts';
import { failureOf } from './failures.ts';
import { isAskable } from './requests.ts';
import { levelsOf } from './streams.ts';

/** Paths that a watch keeps unread, at most 3 KiB each. */
const backlogMax = 1024;

/** The watch's token: its client has no other watch. */
const token = 'grpc';

/** Streams the events of a watch until its caller is gone; then nothing of it is left. */
export async function watchNodes(
  daemon: Daemon,
  { path, depth }: WatchRequest,
  call: StreamCall<WatchEvent>,
): Promise<Result<void, Failure>> {
  const levels = levelsOf(depth);
  if (!levels.ok) return levels;
  if (!isAskable(path)) return fail(failureOf('EINVAL', path));
  const changed = new Set<string>();
  let wake: () => void = () => undefined;
  const onAbort = () => wake();
  const watcher = new LocalClient(daemon, (event) => {
    // One path more than the bound is enough to know that it is exceeded.
    if (changed.size <= backlogMax) changed.add(event);
    wake();
  });
  const words = levels.value === undefined ? [path, token] : [path, token, String(levels.value)];
  const watching = watcher.request('WATCH', 0, nulTerminated(...words));
  if (!watching.ok) {
    watcher.disconnect();
    return fail(failureOf(watching.error, path));
  }
  call.signal.addEventListener('abort', onAbort, { once: true });
  while (!call.signal.aborted && changed.size <= backlogMax) {
    const [next] = changed;
    if (next !== undefined) {
      changed.delete(next);
      await call.send({ path: next });
    } else
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (changed.size > 0 || call.signal.aborted) resolve();
      });
  }
  call.signal.removeEventListener('abort', onAbort);
  watcher.disconnect();
  return call.signal.aborted ? ok(undefined) : fail(tooSlow(path));
}

function tooSlow(path: string): Failure {
  return {
    reason: 'WATCH_TOO_SLOW',
    message: `more than ${backlogMax} paths of the watch were not read`,
    remedy: 'Watch again, and read what is below the path once.',
    resource: { type: 'node', name: path },
  };
}
