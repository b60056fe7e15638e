import test from 'ava';
import { present } from '../../base/assert.ts';
import { loopbackAddresses } from './consensus-cluster.ts';
import { Etcdctl, hasEtcdctl } from './etcdctl.ts';
import { newPool } from './growing-pool.ts';

/** The variables that `etcdctl member add` prints for the new member. */
function variables(printed: string): ReadonlyMap<string, string> {
  const found = printed.matchAll(/^(ETCD_\w+)="(.*)"$/gm);
  return new Map([...found].map(([, name = '', value = '']) => [name, value]));
}

if (hasEtcdctl)
  test('etcdctl adds, lists, promotes, updates and removes members', async (t) => {
    const pool = await newPool(t);
    await pool.begin('a');
    await pool.shows('a');
    const etcdctl = new Etcdctl([pool.member('a').client]);
    const idOf = async (name: string) => (await pool.idOf(name)).toString(16);

    const [address, elsewhere] = await loopbackAddresses(2);
    const { client, peer } = present(address, 'an address');
    const urls = ['--peer-urls', `http://${peer}`];
    const added = await etcdctl.prints('member', 'add', 'b', '--learner', ...urls);
    t.regex(added, /^Member\s+[0-9a-f]+ added to cluster\s+[0-9a-f]+\n/);
    const told = variables(added);
    t.is(told.get('ETCD_INITIAL_CLUSTER_STATE'), 'existing');
    t.regex(await etcdctl.prints('member', 'list'), /, unstarted, , http:\/\/\S+, , true$/m);

    const words = ['--initial-cluster-state', told.get('ETCD_INITIAL_CLUSTER_STATE') ?? ''];
    const cluster = told.get('ETCD_INITIAL_CLUSTER') ?? '';
    const b = pool.define('b', { client, peer }, cluster, words);
    await b.process.start();
    await pool.shows('a', 'b+');
    const lines = (await etcdctl.prints('member', 'list')).split('\n');
    t.true(
      lines.some((line) => line.endsWith(`, started, b, http://${peer}, http://${client}, true`)),
    );

    t.regex(await etcdctl.prints('member', 'promote', await idOf('b')), /promoted in cluster/);
    await pool.shows('a', 'b');
    const again = await etcdctl.run(['member', 'promote', await idOf('b')]);
    t.regex(again.error, /etcdserver: can only promote a learner member/);
    const taken = await etcdctl.run(['member', 'add', 'c', ...urls]);
    t.regex(taken.error, /etcdserver: Peer URLs already exists/);
    const unknown = await etcdctl.run(['member', 'remove', 'abc']);
    t.regex(unknown.error, /etcdserver: member not found/);

    const moved = `http://${elsewhere?.peer}`;
    const updated = ['member', 'update', await idOf('b'), '--peer-urls', moved];
    t.regex(await etcdctl.prints(...updated), /updated in cluster/);
    t.true((await etcdctl.prints('member', 'list')).includes(`, b, ${moved}, `));
    await b.process.end('SIGTERM');
    const back = pool.define('b', { client, peer: elsewhere?.peer ?? '' }, cluster, words);
    await back.process.start();
    t.regex(back.process.output, /the pool that it is .*: that counts/);

    const removed = ['member', 'remove', await idOf('b')];
    t.regex(await etcdctl.prints(...removed), /removed from cluster/);
    t.is(await back.process.ended(), 2);
    await pool.shows('a');
  });
else test.skip('etcdctl changes the members (needs etcd-client)', () => {});
