import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { openSavedSnapshot } from '../../consensus/adapters/snapshot-file.ts';
import { Store } from '../../consensus/kv/store.ts';
import { TestAuthority } from '../fixtures/test-authority.ts';
import { ConsensusCluster } from './consensus-cluster.ts';
import { Etcdctl, hasEtcdctl } from './etcdctl.ts';

let cluster: ConsensusCluster | null = null;
let etcdctl = new Etcdctl([]);

function prints(...words: readonly string[]): Promise<string> {
  return etcdctl.prints(...words);
}

interface State {
  readonly Endpoint: string;
  readonly Status: {
    readonly header: { readonly member_id: number; readonly revision: number };
    readonly leader: number;
    readonly errors?: readonly string[];
  };
}

async function states(): Promise<State[]> {
  return JSON.parse(await prints('endpoint', 'status', '-w', 'json'));
}

if (hasEtcdctl) {
  test.before(async (t) => {
    t.timeout(120_000);
    cluster = await ConsensusCluster.start(3);
    etcdctl = new Etcdctl(cluster.endpoints);
  });
  test.after.always(() => cluster?.close());

  test.serial('etcdctl lists the members, and how each is', async (t) => {
    const members = (await prints('member', 'list')).split('\n');
    t.is(members.length, 3);
    for (const line of members) t.regex(line, /^[0-9a-f]+, started, m\d, http:.*, http:.*, false$/);
    const health = await etcdctl.run(['endpoint', 'health', '--cluster']);
    t.is(health.code, 0);
    t.is(health.error.match(/is healthy/g)?.length ?? 0, 3);
    const leaders = new Set((await states()).map(({ Status }) => Status.leader));
    t.is(leaders.size, 1);
  });

  test.serial('etcdctl finds the same hash at every member', async (t) => {
    await prints('put', 'hashed', '1');
    const hashes = new Set<string>();
    for (let attempt = 0; attempt < 20 && hashes.size !== 1; attempt += 1) {
      hashes.clear();
      for (const line of (await prints('endpoint', 'hashkv')).split('\n'))
        hashes.add(line.split(', ')[1] ?? '');
    }
    t.is(hashes.size, 1);
    t.regex([...hashes].join(), /^\d+$/);
  });

  test.serial('etcdctl saves a snapshot, which holds the store', async (t) => {
    const [endpoint = ''] = cluster?.endpoints ?? [];
    await prints('put', 'saved', 'before');
    const one = new Etcdctl([endpoint]);
    t.is(await one.prints('get', 'saved', '--print-value-only'), 'before');
    const path = join(tmpdir(), `flotilla-etcdctl-${process.pid}.snapshot`);
    t.is(await one.prints('snapshot', 'save', path), `Snapshot saved at ${path}`);
    t.teardown(() => rm(path, { force: true }));
    t.is((await readFile(path)).length % 512, 32);
    const saved = openSavedSnapshot(path);
    if (!saved.ok) throw new Error(saved.error);
    const store = new Store();
    t.true(store.restore(saved.value.chunks()).ok);
    t.is(Number(store.revision), saved.value.description.revision);
    saved.value.close();
    t.true(store.size > 0);
  });

  test.serial('etcdctl defragments every member', async (t) => {
    const lines = (await prints('defrag')).split('\n');
    t.is(lines.length, 3);
    for (const line of lines) t.regex(line, /^Finished defragmenting etcd member\[.*\]$/);
  });

  test.serial('etcdctl moves the leader', async (t) => {
    const before = await states();
    const leader = before.find(({ Status }) => Status.header.member_id === Status.leader);
    const follower = before.find(({ Status }) => Status.header.member_id !== Status.leader);
    const target = (follower?.Status.header.member_id ?? 0).toString(16);
    const moved = await prints('move-leader', target);
    const from = (leader?.Status.leader ?? 0).toString(16);
    t.is(moved, `Leadership transferred from ${from} to ${target}`);
    const refused = await etcdctl.run(['move-leader', '123']);
    t.not(refused.code, 0);
    t.regex(refused.error, /etcdserver: bad leader transferee/);
    let now = await states();
    while (now.some(({ Status }) => Status.leader !== follower?.Status.header.member_id))
      now = await states();
    t.is(now.length, 3);
  });

  test.serial('over TLS etcdctl asks the members that it is told of', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'flotilla-etcdctl-'));
    t.teardown(() => rm(directory, { recursive: true, force: true }));
    const name = 'host-1/consensus';
    const authority = await TestAuthority.make();
    const { ca, certificate, key } = await authority.files(directory, name);
    const secure = await ConsensusCluster.start(1, {
      flags: ['--tls-ca', ca, '--tls-cert', certificate, '--tls-key', key],
      credentials: await authority.channel(name),
    });
    t.teardown(() => secure.close());
    const urls = secure.endpoints.map((endpoint) => `https://${endpoint}`);
    const ctl = new Etcdctl(urls, ['--cacert', ca, '--cert', certificate, '--key', key]);
    t.is(await ctl.prints('put', 'a', '1'), 'OK');
    t.regex(await ctl.prints('endpoint', 'hashkv', '--cluster'), /^https:.*, \d+$/);
    t.regex(await ctl.prints('endpoint', 'status', '--cluster'), /^https:.*, true, false, /);
    t.regex(await ctl.prints('defrag', '--cluster'), /^Finished defragmenting/);
  });

  test.serial('etcdctl lists alarms, and ends them', async (t) => {
    t.is(await prints('alarm', 'list'), '');
    t.is(await prints('alarm', 'disarm'), '');
  });
} else
  test.serial('etcdctl is not installed: it is not tried', (t) => {
    t.false(hasEtcdctl);
  });
