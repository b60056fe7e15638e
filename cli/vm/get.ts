import type { Result } from '../../base/result.ts';
import type { Vm } from '../../proto/gen/flotilla.vm.v1.ts';
import { call } from '../connection/call.ts';
import type { Problem } from '../problem.ts';
import type { Session } from '../session.ts';
import { vmSentence } from './words.ts';

/** The VM of that name or id. */
export function getVm(session: Session, vm: string): Promise<Result<Vm, Problem>> {
  return call(session.pool, (to, settings) => to.vm.getVm({ vm }, settings));
}

/** What the VM is now, after an operation on it; where nobody can say, that the operation is done. */
export async function sentenceOf(session: Session, vm: string, otherwise: string): Promise<string> {
  const found = await getVm(session, vm);
  return found.ok ? vmSentence(found.value) : otherwise;
}
