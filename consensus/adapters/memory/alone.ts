import { assert } from '../../../base/assert.ts';
import { seededRandom } from '../../../base/random.ts';
import { configurationOf } from '../../core/configuration.ts';
import { memberId } from '../../core/ids.ts';
import { defaultLimits } from '../../driver/limits.ts';
import { Node } from '../../node.ts';
import type { StateMachine } from '../../replica.ts';
import { systemClock } from '../clock.ts';
import { blankDisk, MemoryLogStore } from './log-store.ts';
import { MemoryNetwork } from './peers.ts';

/**
 * A pool of one member that keeps its log in memory, resolved once it leads. For tests, and for
 * pools that need not outlive their process.
 */
export async function startAlone<Reply>(machine: StateMachine<Reply>): Promise<Node<Reply>> {
  const id = memberId(1);
  const addresses = [{ member: id, peers: ['nowhere:0'] }];
  const started = Node.start({
    id,
    store: new MemoryLogStore(blankDisk({ ...configurationOf([id]), addresses })),
    transport: new MemoryNetwork().transport(id),
    clock: systemClock,
    random: seededRandom(1),
    machine,
    limits: defaultLimits,
  });
  assert(started.ok, 'an empty store has no snapshot to fail on');
  const node = started.value;
  await new Promise<void>((resolve) => {
    const stop = node.onStatus(({ role }) => {
      if (role !== 'leader') return;
      stop();
      resolve();
    });
  });
  return node;
}
