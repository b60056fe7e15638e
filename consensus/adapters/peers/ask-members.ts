import type { ChannelCredentials } from '@grpc/grpc-js';
import { milliseconds } from '../../../base/units.ts';
import { connect } from '../../../proto/client.ts';
import {
  type ListMembersResponse,
  PeerService,
  type PoolMember,
} from '../../../proto/gen/flotilla.raft.v1.ts';

/** How long a member has to answer. */
const patience = milliseconds(2000);

/** What one member said of who takes part. */
export interface MembersAnswer {
  /** Who was asked: HOST:PORT. */
  readonly address: string;
  readonly pool: string;
  /** Whether a majority has just confirmed it. */
  readonly isCurrent: boolean;
  readonly members: readonly PoolMember[];
}

/** Asks everyone at once. Who does not answer in time, or is too old to, is left out. */
export async function askMembers(
  addresses: Iterable<string>,
  credentials: ChannelCredentials,
): Promise<readonly MembersAnswer[]> {
  const asked = [...new Set(addresses)].map((address) => ask(address, credentials));
  return (await Promise.all(asked)).filter((answer) => answer !== null);
}

async function ask(
  address: string,
  credentials: ChannelCredentials,
): Promise<MembersAnswer | null> {
  const connection = connect(address, credentials, { 'grpc.use_local_subchannel_pool': 1 });
  const answer = await connection.client(PeerService).listMembers({}, { timeout: patience });
  connection.close();
  if (!answer.ok) return null;
  const { pool, isCurrent, members } = checked(answer.value);
  return { address, pool, isCurrent, members };
}

/** What cannot be an id is left out. */
function checked(response: ListMembersResponse): ListMembersResponse {
  const members = response.members.filter(({ id }) => Number.isSafeInteger(id) && id > 0);
  return { ...response, members };
}
