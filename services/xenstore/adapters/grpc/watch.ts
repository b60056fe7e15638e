import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { StreamCall } from '../../../../pool/rpc/handler.ts';
import type { WatchEvent, WatchRequest } from '../../../../proto/gen/flotilla.xenstore.v1.ts';
import { isAskable } from './askable.ts';
import { clientFailure, failureOf } from './failures.ts';
import { levelsOf } from './streams.ts';
import type { Xenstore } from './xenstore.ts';

/** Streams the events of a watch until its caller is gone; then nothing of it is left. */
export async function watchNodes(
  xenstore: Xenstore,
  { path, depth }: WatchRequest,
  call: StreamCall<WatchEvent>,
): Promise<Result<void, Failure>> {
  const levels = levelsOf(depth);
  if (!levels.ok) return levels;
  if (!isAskable(path)) return fail(failureOf('EINVAL', path));
  const wanted = levels.value;
  const client = await xenstore.client();
  const set = client.ok
    ? await client.value.watch(path, xenstore.watchesByDepth ? { depth: wanted } : {})
    : client;
  if (!set.ok) return fail(clientFailure(set.error, path));
  const watch = set.value;
  const leave = () => void watch.unsubscribe();
  call.signal.addEventListener('abort', leave, { once: true });
  if (call.signal.aborted) leave();
  let failure: Failure | null = null;
  for await (const event of watch) {
    if (event.kind === 'ended') failure = clientFailure(event.failure, path);
    else if (event.kind === 'missed') failure = tooSlow(path);
    else if (wanted === undefined || levelsBelow(path, event.path) <= wanted)
      await call.send({ path: event.path });
    if (failure !== null) break;
  }
  call.signal.removeEventListener('abort', leave);
  return failure === null || call.signal.aborted ? ok(undefined) : fail(failure);
}

/** How many levels below a watched path another one is. */
function levelsBelow(watched: string, path: string): number {
  const below = path.slice(watched === '/' ? 1 : watched.length + 1);
  return below === '' ? 0 : below.split('/').length;
}

function tooSlow(path: string): Failure {
  return {
    reason: 'WATCH_TOO_SLOW',
    message: 'more paths of the watch were not read than are kept',
    remedy: 'Watch again, and read what is below the path once.',
    resource: { type: 'node', name: path },
  };
}
