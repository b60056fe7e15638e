import { type Configuration, membersOf } from '../core/configuration.ts';
import type { MemberId } from '../core/ids.ts';
import type { MemberSettings } from '../settings.ts';

/**
 * Where the flags speak of other addresses than the log: a sentence for the operator, or null. The
 * log counts.
 */
export function flagsProblem(
  { name, initialCluster }: Pick<MemberSettings, 'name' | 'initialCluster'>,
  self: MemberId,
  configuration: Configuration,
): string | null {
  if (configuration.addresses.length === 0) return null;
  const peersOf = (member: MemberId) =>
    configuration.addresses.find((each) => each.member === member)?.peers ?? [];
  const own = peersOf(self);
  const flag = initialCluster.get(name) ?? '';
  if (own.length > 0 && !own.includes(flag))
    return (
      `--initial-cluster says that ${name} listens for members at ${flag}, the pool that it is ` +
      `${own.join(', ')}: that counts (flotilla pool member update changes it)`
    );
  const known = new Set(membersOf(configuration).flatMap(peersOf));
  const unknown = [...initialCluster.values()].filter((address) => !known.has(address));
  const missing = [...known].filter((address) => ![...initialCluster.values()].includes(address));
  if (unknown.length === 0 && missing.length === 0) return null;
  return `--initial-cluster is out of date, and not looked at: the members are at ${[...known].join(', ')}`;
}
