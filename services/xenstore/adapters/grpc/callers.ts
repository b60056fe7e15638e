import { fail, ok, type Result } from '../../../../base/result.ts';
import { operatorIdentity, serviceIdentity } from '../../../../pool/access.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { serviceNames } from '../../../../pool/records/host.ts';

/** Who may ask what: `nodes` and what they tell, or what is about the daemon itself. */
export type Callers = (
  identity: string | null,
  what: 'nodes' | 'daemon',
) => Result<undefined, Failure>;

/**
 * Callers are the control domain, which may do everything to every guest of the host. So the operator
 * may call, and the services of the same host, who act for that domain; another host's may not. Without
 * TLS there are no identities: whoever reaches the loopback address may call.
 */
export function callersOf(hostName: string | undefined): Callers {
  const own: ReadonlySet<string> = new Set(
    hostName === undefined
      ? []
      : serviceNames.map((service) => serviceIdentity({ name: hostName }, service)),
  );
  return (identity, what) => {
    if (identity === null || identity === operatorIdentity) return ok(undefined);
    if (what === 'nodes' && own.has(identity)) return ok(undefined);
    return fail({
      reason: 'FORBIDDEN',
      message:
        what === 'daemon'
          ? `${identity} may not give orders to xenstored`
          : `${identity} may not use the xenstore of ${hostName ?? 'this host'}`,
      remedy: `Show the identity of the operator${what === 'nodes' ? ', or of a service of that host' : ''}: see docs/access.md.`,
    });
  };
}
