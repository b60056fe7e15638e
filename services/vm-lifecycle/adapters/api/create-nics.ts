import { randomBytes } from 'node:crypto';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { Pool } from '../../../../pool/pool.ts';
import type { VmNic } from '../../../../pool/records/vm.ts';

/** Finds the networks of a new VM's interfaces, and chooses the addresses that are left open. */
export async function resolveNics(
  pool: Pool,
  nics: readonly { readonly network: string; readonly mac: string }[],
): Promise<Result<VmNic[], Failure>> {
  const resolved: VmNic[] = [];
  for (const [index, { network, mac }] of nics.entries()) {
    const found = await pool.networks.find(network);
    if (!found.ok) return fail({ ...found.error, field: `vm.nics[${index}].network` });
    const address = mac === '' ? randomMac() : mac.toLowerCase();
    resolved.push({ network: found.value.record.id, mac: address });
  }
  return ok(resolved);
}

/**
 * An address of Xen's own range, 00:16:3e. 24 bits are left to chance: among a thousand interfaces
 * on one network two are the same once in about 34 pools; an operator can name an address instead.
 */
function randomMac(): string {
  return `00:16:3e:${(randomBytes(3).toString('hex').match(/../g) ?? []).join(':')}`;
}
