import type { Configuration } from '../core/configuration.ts';
import type { MemberId } from '../core/ids.ts';
import type { Raft } from '../core/raft.ts';

/**
 * To whom a member may speak: to those of the configuration in force, and a leader to those as well
 * who have just been removed.
 */
export class Recipients {
  #configuration: Configuration | null = null;
  #leaving = '';

  /** Who they are now; null if they are as they were. */
  update(raft: Raft): Configuration | null {
    const { configuration } = raft.log;
    if (configuration === this.#configuration && this.#leaving === '' && !hasLeaving(raft))
      return null;
    const leaving = leavingOf(raft);
    const names = leaving.join();
    if (configuration === this.#configuration && names === this.#leaving) return null;
    this.#configuration = configuration;
    this.#leaving = names;
    if (leaving.length === 0) return configuration;
    return {
      ...configuration,
      learners: [...configuration.learners, ...leaving],
      addresses: [...configuration.addresses, ...lastAddresses(raft, leaving)],
    };
  }
}

function hasLeaving({ leadership }: Raft): boolean {
  if (leadership === null) return false;
  for (const { leaving } of leadership.progress.values()) if (leaving !== null) return true;
  return false;
}

function leavingOf(raft: Raft): readonly MemberId[] {
  const leaving: MemberId[] = [];
  for (const [member, progress] of raft.leadership?.progress ?? [])
    if (progress.leaving !== null) leaving.push(member);
  return leaving;
}

function lastAddresses(raft: Raft, members: readonly MemberId[]): Configuration['addresses'] {
  return members.flatMap((member) => {
    const since = raft.leadership?.progress.get(member)?.leaving?.since ?? raft.commit;
    const before = raft.log.configurationBefore(since);
    return before.addresses.filter((address) => address.member === member);
  });
}
