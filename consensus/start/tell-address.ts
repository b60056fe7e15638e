import { milliseconds } from '../../base/units.ts';
import type { MemberId } from '../core/ids.ts';
import type { Clock } from '../ports.ts';
import type { Replica } from '../replica.ts';
import { membershipVersion } from '../versions.ts';

/** How often it is looked whether the members can be told, and tried. */
const interval = milliseconds(1000);

/**
 * Has the configuration tell where this member listens, where it does not: a pool of version 1 told
 * no addresses, and who joins needs them. It waits until everyone can read it. Returns what ends it.
 */
export function tellAddress(
  replica: Pick<Replica<unknown>, 'status' | 'changeMembership'>,
  self: MemberId,
  address: string,
  allSpeak: (version: number) => boolean,
  clock: Clock,
): () => void {
  let underWay = false;
  const look = async () => {
    const { configuration, leader, commitIndex } = replica.status();
    const { voters, addresses } = configuration;
    if (addresses.some(({ member }) => member === self)) {
      stop();
      return;
    }
    const canTell = voters.includes(self) && leader !== null && commitIndex > 0;
    if (underWay || !canTell || !allSpeak(membershipVersion)) return;
    underWay = true;
    // What fails now, as when another change is under way, is tried again at the next look.
    await replica.changeMembership({ kind: 'update', member: self, peers: [address] });
    underWay = false;
  };
  const stop = clock.every(interval, () => void look());
  return stop;
}
