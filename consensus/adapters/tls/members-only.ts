import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { Metadata, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import { milliseconds } from '../../../base/units.ts';
import { commonNameOf } from '../etcd/auth/caller.ts';
import { Repeats } from '../repeats.ts';

/**
 * The identities of members: `HOST/consensus`. Every service of the pool has a certificate of the
 * same CA; none of the others may take part in the consensus, which would see and change all.
 */
const memberName = /^[^/]+\/consensus$/;

/** Whether a certificate's common name is a member's. */
export function isMemberName(name: string | null): boolean {
  return name !== null && memberName.test(name);
}

/** Told of a caller who is no member: its name, and its address. */
export type OnStranger = (name: string | null, address: string) => void;

/** A stranger is told of once in this time, from wherever it calls. */
const quietTime = milliseconds(60_000);

/** Serves calls of members alone. */
export function servingMembersOnly(onStranger: OnStranger): ServerInterceptor {
  const repeats = new Repeats(quietTime);
  return (_method, call) => {
    const name = commonNameOf(call);
    if (isMemberName(name)) return new ServerInterceptingCall(call);
    if (repeats.isNews(name ?? '')) onStranger(name, call.getPeer());
    return new ServerInterceptingCall(call, {
      start: () => {
        call.sendStatus({
          code: status.PERMISSION_DENIED,
          details: `${name ?? 'who has no name'} is not a member: members are HOST/consensus`,
          metadata: new Metadata(),
        });
      },
    });
  };
}

/** Lets a member talk to members alone: a service that listens in a member's place is refused. */
export function checkMember(host: string, certificate: PeerCertificate): Error | undefined {
  const problem = checkServerIdentity(host, certificate);
  if (problem !== undefined) return problem;
  const name: unknown = certificate.subject.CN;
  if (typeof name === 'string' && isMemberName(name)) return undefined;
  return new Error(`${String(name)} is not a member: members are HOST/consensus`);
}
