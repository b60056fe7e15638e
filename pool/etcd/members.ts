import { ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import {
  Cluster,
  Maintenance,
  type Member,
  type StatusResponse,
} from '../../proto/gen/etcdserverpb.ts';
import type { DatabaseMember } from '../database.ts';
import type { Failure } from '../failure.ts';
import type { Endpoints } from './endpoints.ts';

/** How long a member may take to say how it is. */
const statusTimeout = milliseconds(1_000);

/** The members as one of them lists them, each asked how it is. */
export async function members(
  endpoints: Endpoints,
): Promise<Result<readonly DatabaseMember[], Failure>> {
  const listed = await endpoints.call(
    (connection, settings) => connection.client(Cluster).memberList({}, settings),
    true,
  );
  if (!listed.ok) return listed;
  const asked = await Promise.all(listed.value.members.map((member) => ask(endpoints, member)));
  const newest = asked
    .filter((answer) => answer.status !== null)
    .sort((a, b) => Number((b.status?.raftTerm ?? 0n) - (a.status?.raftTerm ?? 0n)))[0];
  const leader = newest?.status?.leader ?? 0n;
  return ok(
    asked.map(({ member, address, status }) => ({
      name: member.name,
      clientAddress: address,
      leader: leader !== 0n && member.ID === leader,
      healthy: status !== null && status.leader !== 0n,
    })),
  );
}

async function ask(
  endpoints: Endpoints,
  member: Member,
): Promise<{ member: Member; address: string; status: StatusResponse | null }> {
  const address = addressOf(member.clientURLs[0] ?? '');
  if (address === '') return { member, address, status: null };
  const connection = endpoints.open(address);
  const status = await connection
    .client(Maintenance)
    .status({}, { timeout: statusTimeout, signal: endpoints.closed });
  connection.close();
  return { member, address, status: status.ok ? status.value : null };
}

/** HOST:PORT of a URL; empty where it is none. */
function addressOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
