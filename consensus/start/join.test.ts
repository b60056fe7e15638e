import { ChannelCredentials, Server, ServerCredentials } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { pino } from 'pino';
import { bytes } from '../../base/units.ts';
import type { Input } from '../../proto/codec.ts';
import { type ListMembersResponse, PeerService } from '../../proto/gen/flotilla.raft.v1.ts';
import { addService } from '../../proto/server.ts';
import type { MemberSettings } from '../settings.ts';
import { join } from './join.ts';

const pool = 'c'.repeat(16);

/** Answers who the members are, at an address of its own. */
async function serving(
  t: ExecutionContext,
  response: () => Input<ListMembersResponse>,
): Promise<string> {
  const server = new Server();
  addService(server, PeerService, { listMembers: (_call, reply) => reply(null, response()) });
  t.teardown(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return `127.0.0.1:${port}`;
}

function joining(asked: string, own: string) {
  const settings: MemberSettings = {
    ...{ name: 'd', dataDir: '/none', listenClient: '127.0.0.1:0', listenPeer: own },
    ...{ advertiseClient: null, clusterToken: 't', tls: null, rights: null },
    ...{ quota: bytes(2 ** 20), retainRevisions: 0 },
    initialClusterState: 'existing',
    initialCluster: new Map([
      ['a', asked],
      ['d', own],
    ]),
  };
  return join(settings, ChannelCredentials.createInsecure(), pino({ level: 'silent' }));
}

test('who joins takes the id that the pool has given to its address', async (t) => {
  const own = '127.0.0.1:1';
  const asked = await serving(t, () => ({
    ...{ pool, isCurrent: true },
    members: [
      { id: 7, peers: ['127.0.0.1:2'], hasStarted: true, name: 'a' },
      { id: 9, peers: [own] },
    ],
  }));
  const joined = await joining(asked, own);
  t.like(joined.ok ? joined.value : joined.error, { member: 9, pool: { pool } });
});

test('who is not added, or was there before, does not join', async (t) => {
  const own = '127.0.0.1:1';
  let members: Input<ListMembersResponse>['members'] = [];
  const asked = await serving(t, () => ({ pool, isCurrent: true, members }));
  const refused = async () => {
    const joined = await joining(asked, own);
    return joined.ok ? 'joined' : joined.error.detail;
  };
  t.regex(await refused(), /the pool has no member at 127\.0\.0\.1:1/);
  members = [{ id: 9, peers: [own], hasStarted: true, name: 'd' }];
  t.regex(await refused(), /member 9 \(d\) at 127\.0\.0\.1:1 has confirmed/);
});

test('an address at which a member is served already is not joined with again', async (t) => {
  const members = () => [{ id: 9, peers: [twin] }];
  const twin: string = await serving(t, () => ({ pool, isCurrent: false, members: members() }));
  const asked = await serving(t, () => ({ pool, isCurrent: true, members: members() }));
  const joined = await joining(asked, twin);
  t.regex(joined.ok ? 'joined' : joined.error.detail, /a member is served at 127.* already/);
  t.false(joined.ok || joined.error.isFinal, 'it may be about to end');
});
