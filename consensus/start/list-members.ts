import type { Input } from '../../proto/codec.ts';
import type { ListMembersResponse } from '../../proto/gen/flotilla.raft.v1.ts';
import { membersOf } from '../core/configuration.ts';
import { bufferOf } from '../kv/byte-string.ts';
import type { Store } from '../kv/store.ts';
import type { Replica } from '../replica.ts';

/**
 * Who the members are, as this one knows: confirmed by a majority if there is one to ask, and
 * otherwise what it was told last.
 */
export async function listMembers<Reply>(
  pool: string,
  replica: Pick<Replica<Reply>, 'readBarrier' | 'status'>,
  store: Pick<Store, 'member'>,
): Promise<Input<ListMembersResponse>> {
  const current = await replica.readBarrier();
  const { committedConfiguration: configuration } = replica.status();
  const members = membersOf(configuration).map((id) => {
    const described = store.member(id);
    return {
      id,
      peers: configuration.addresses.find(({ member }) => member === id)?.peers ?? [],
      isLearner: configuration.learners.includes(id),
      hasStarted: described !== undefined,
      name: described === undefined ? '' : bufferOf(described.name).toString('utf8'),
    };
  });
  return { pool, isCurrent: current.ok, members };
}
