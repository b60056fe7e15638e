import { milliseconds } from '../../../base/units.ts';
import { textBytes } from '../../kv/byte-string.ts';
import type { Clock } from '../../ports.ts';
import type { EtcdMember } from './member.ts';

/** How often a member tries to say how clients reach it, until it is in the store. */
const retryInterval = milliseconds(500);

/**
 * Puts this member's name and client addresses into the store, unless they are there, so that
 * every member can tell clients of all. Returns what stops trying.
 */
export function describeMember(
  member: EtcdMember,
  clock: Clock,
  name: string,
  clientUrls: readonly string[],
): () => void {
  const id = member.replica.status().member;
  const wanted = { member: id, name: textBytes(name), clientUrls: clientUrls.map(textBytes) };
  let underWay = false;
  const attempt = async () => {
    if (underWay || member.replica.status().leader === null) return;
    underWay = true;
    const current = await member.readBarrier();
    const known = member.store.member(id);
    const isTold =
      known?.name === wanted.name && known.clientUrls.join() === wanted.clientUrls.join();
    const done =
      current.ok &&
      (isTold || (await member.propose<'describe'>({ kind: 'describe', ...wanted })).ok);
    if (done) stop();
    underWay = false;
  };
  const stop = clock.every(retryInterval, () => void attempt());
  void attempt();
  return stop;
}
