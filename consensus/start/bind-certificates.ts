import type { Logger } from 'pino';
import { MemberCertificates, memberCertificate } from '../adapters/peers/member-certificates.ts';
import type { PeerOptions } from '../adapters/peers/transport.ts';
import { membersOf } from '../core/configuration.ts';
import type { MemberId } from '../core/ids.ts';
import { firstMemberId } from '../identity.ts';
import { bufferOf } from '../kv/byte-string.ts';
import type { Store } from '../kv/store.ts';
import type { ReplicaStatus } from '../replica.ts';
import type { MemberSettings } from '../settings.ts';

/**
 * Binds the ids of members to their certificates, as `flotilla up` issues them: `NAME/consensus`. A
 * pool whose operator names certificates otherwise, or has one for all members, goes on as it was:
 * there a certificate only says that its owner is some member, and the log says so.
 */
export function bindCertificates(
  { name, tls, clusterToken, initialCluster }: MemberSettings,
  commonName: string | null,
  store: Pick<Store, 'member'>,
  status: () => ReplicaStatus | null,
  log: Pick<Logger, 'warn'>,
): Pick<PeerOptions, 'refusal'> {
  if (tls === null) return {};
  if (commonName !== memberCertificate(name)) {
    log.warn(
      { certificate: commonName, expected: memberCertificate(name) },
      'members are not bound to their certificates: that of this one does not name it',
    );
    return {};
  }
  // The id of a member of the beginning tells its name, whatever anybody else says of it.
  const first = new Map<MemberId, string>();
  for (const each of initialCluster.keys()) first.set(firstMemberId(clusterToken, each), each);
  const described = (member: MemberId): string | null => {
    const description = store.member(member);
    return description === undefined ? null : bufferOf(description.name).toString('utf8');
  };
  const certificates = new MemberCertificates({
    nameOf: (member) => first.get(member) ?? described(member),
    members: () => {
      const current = status();
      return current === null ? [] : membersOf(current.configuration);
    },
  });
  return { refusal: (member, shown) => certificates.refusal(member, shown) };
}
