import type { PeerName } from '../../peers/peer.ts';
import { type Comparison, compare, type Difference } from './compare.ts';
import type { History } from './generate.ts';
import type { Observation } from './step.ts';

/** How often a history is tried while it is made shorter: each try starts a daemon. */
const triesMax = 150;

/**
 * Leaves out of a history what its difference does not need: halves, quarters, and in the end single
 * steps, as long as a difference of the same kind is left.
 */
export async function shrink(
  peer: PeerName,
  { quotas, steps }: History,
  found: Comparison,
): Promise<{ readonly history: History; readonly comparison: Comparison }> {
  let shortest = steps.slice(0, (found.difference?.at ?? steps.length) + 1);
  let comparison = found;
  let tries = 0;
  for (let size = Math.ceil(shortest.length / 2); size >= 1; size = Math.floor(size / 2))
    for (let at = shortest.length - size; at >= 0 && tries < triesMax; at -= size) {
      const candidate = shortest.toSpliced(at, size);
      tries += 1;
      const tried = await compare(peer, { quotas, steps: candidate });
      if (!isAlike(found, tried) || tried.difference === null) continue;
      shortest = candidate.slice(0, tried.difference.at + 1);
      comparison = tried;
      at = Math.min(at, shortest.length);
    }
  return { history: { quotas, steps: shortest }, comparison };
}

/** Whether two differences are about the same kind of step: what is sought is not lost for another. */
function isAlike({ difference: one }: Comparison, { difference: other }: Comparison): boolean {
  if (one === null || other === null) return one === other;
  if (isToldTheSame(one) || isToldTheSame(other)) return isToldTheSame(one) && isToldTheSame(other);
  if (one.step.kind !== 'request' || other.step.kind !== 'request')
    return one.step.kind === other.step.kind;
  return one.step.type === other.step.type && one.theirs.reply.kind === other.theirs.reply.kind;
}

/** Whether only what there is afterwards is different: it does not matter which step was the last. */
function isToldTheSame({ ours, theirs }: Difference): boolean {
  const told = ({ reply, events }: Observation) => JSON.stringify({ reply, events });
  return told(ours) === told(theirs);
}
