import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { ConsensusCluster } from './consensus-cluster.ts';
import { Etcdctl, hasEtcdctl, take } from './etcdctl.ts';

let cluster: ConsensusCluster | null = null;
let etcdctl = new Etcdctl([]);

function prints(...words: readonly string[]): Promise<string> {
  return etcdctl.prints(...words);
}

/** Puts a key, and returns the revision of that as a word. */
async function put(key: string, value: string): Promise<string> {
  const { header } = JSON.parse(await prints('put', key, value, '-w', 'json'));
  return String(header.revision);
}

if (hasEtcdctl) {
  test.before(async (t) => {
    t.timeout(120_000);
    cluster = await ConsensusCluster.start(3);
    etcdctl = new Etcdctl(cluster.endpoints);
  });
  test.after.always(() => cluster?.close());

  test.serial('etcdctl puts, gets and deletes', async (t) => {
    t.is(await prints('put', 'basic/a', '1'), 'OK');
    t.is(await prints('put', 'basic/b', '2'), 'OK');
    t.is(await prints('put', 'basic/a', '3', '--prev-kv'), 'OK\nbasic/a\n1');
    t.is(await prints('get', 'basic/a'), 'basic/a\n3');
    t.is(await prints('get', 'basic/a', '--print-value-only'), '3');
    t.is(await prints('get', 'basic/', '--prefix'), 'basic/a\n3\nbasic/b\n2');
    t.is(await prints('get', 'basic/', '--prefix', '--keys-only'), 'basic/a\n\nbasic/b');
    t.is(await prints('get', 'basic/b', '--from-key', '--limit', '1'), 'basic/b\n2');
    t.is(await prints('get', 'basic/a', 'basic/b'), 'basic/a\n3');
    t.is(await prints('get', 'basic/a', '--consistency', 's'), 'basic/a\n3');
    t.is(await prints('get', 'basic/a', '--hex'), '\\x62\\x61\\x73\\x69\\x63\\x2f\\x61\n\\x33');
    t.is(await prints('put', 'basic/a', '--ignore-value'), 'OK');
    t.is(await prints('get', 'basic/a', '--print-value-only'), '3');
    t.is(await prints('del', 'basic/', '--prefix', '--prev-kv'), '2\nbasic/a\n3\nbasic/b\n2');
    t.is(await prints('get', 'basic/', '--prefix'), '');
    for (const key of ['x/1', 'x/2', 'x/3']) await prints('put', key, '');
    t.is(await prints('del', 'x/1', 'x/3'), '2');
    t.is(await prints('del', 'x/', '--from-key'), '1');
  });

  test.serial('etcdctl sorts by everything, either way', async (t) => {
    for (const [key, value] of ['c2', 'a3', 'b1', 'b0', 'a9'].map((pair) => [...pair]))
      await prints('put', `sort/${key}`, value ?? '');
    const orders: Readonly<Record<string, string>> = {
      KEY: 'abc',
      VALUE: 'bca',
      CREATE: 'cab',
      MODIFY: 'cba',
      VERSION: 'cab',
    };
    for (const [by, ascending] of Object.entries(orders)) {
      const keys = async (order: string) => {
        const words = ['get', 'sort/', '--prefix', '--keys-only', '--sort-by', by];
        const lines = (await prints(...words, '--order', order)).split('\n\n');
        return lines.map((line) => line.slice('sort/'.length)).join('');
      };
      t.is(await keys('ASCEND'), ascending, by);
      // Where two are equal, they stay in the order of their keys.
      const descending = by === 'VERSION' ? 'abc' : [...ascending].reverse().join('');
      t.is(await keys('DESCEND'), descending, by);
    }
    t.is(
      await prints('get', 'sort/', '--prefix', '--order', 'DESCEND', '--limit', '1'),
      'sort/c\n2',
    );
  });

  test.serial('etcdctl reads the past, and is told of what is compacted', async (t) => {
    const first = await put('past', '1');
    const second = await put('past', '2');
    t.is(await prints('get', 'past', '--rev', first), 'past\n1');
    t.is(await prints('compaction', second, '--physical'), `compacted revision ${second}`);
    const refused = await etcdctl.run(['get', 'past', '--rev', first]);
    t.is(refused.code, 1);
    t.regex(refused.error, /mvcc: required revision has been compacted/);
    t.is(await prints('get', 'past', '--rev', second), 'past\n2');
  });

  test.serial('etcdctl runs a transaction', async (t) => {
    await prints('put', 'txn', 'old');
    const script =
      'value("txn") = "old"\nmod("txn") > "0"\nver("none") = "0"\n\nput txn new\nget txn\n\nput txn no\n\n';
    const ran = await etcdctl.run(['txn'], script);
    t.is(ran.out, 'SUCCESS\n\nOK\n\ntxn\nnew');
    t.is((await etcdctl.run(['txn'], script)).out, 'FAILURE\n\nOK');
    t.is(await prints('get', 'txn', '--print-value-only'), 'no');
    const deletion = 'create("txn") > "0"\n\ndel txn --prev-kv\n\n\n';
    t.is((await etcdctl.run(['txn'], deletion)).out, 'SUCCESS\n\n1\ntxn\nno');
  });

  test.serial('etcdctl watches a prefix, from the past too', async (t) => {
    const revision = await put('watch/a', '1');
    const words = ['watch', 'watch/', '--prefix', '--prev-kv', '--rev', revision];
    const watch = etcdctl.follow(...words);
    t.deepEqual(await take(watch, 3), ['PUT', 'watch/a', '1']);
    await prints('put', 'watch/a', '2');
    t.deepEqual(await take(watch, 5), ['PUT', 'watch/a', '1', 'watch/a', '2']);
    await prints('del', 'watch/a');
    t.deepEqual(await take(watch, 5), ['DELETE', 'watch/a', '2', 'watch/a', '']);
    watch.child.kill();
  });

  test.serial('etcdctl watches interactively, and asks how far it is', async (t) => {
    const watch = etcdctl.follow('watch', '-i');
    t.teardown(() => watch.child.kill());
    const say = (line: string) => watch.child.stdin?.write(`${line}\n`);
    const revision = await put('interactive/a', '1');
    say(`watch interactive/ --prefix --rev ${revision}`);
    t.deepEqual(await take(watch, 3), ['PUT', 'interactive/a', '1']);
    say('progress');
    t.deepEqual(await take(watch, 1), [`progress notify: ${revision}`]);
    const later = await put('interactive/b', '2');
    t.deepEqual(await take(watch, 3), ['PUT', 'interactive/b', '2']);
    say('progress');
    t.deepEqual(await take(watch, 1), [`progress notify: ${later}`]);
  });

  test.serial('etcdctl grants, renews, shows and revokes a lease', async (t) => {
    const granted = await prints('lease', 'grant', '300');
    const id = /^lease ([0-9a-f]+) granted with TTL\(300s\)$/.exec(granted)?.[1] ?? '';
    t.not(id, '');
    await prints('put', 'leased', '1', '--lease', id);
    t.is(await prints('put', 'leased', '2', '--ignore-lease'), 'OK');
    t.is(await prints('lease', 'keep-alive', '--once', id), `lease ${id} keepalived with TTL(300)`);
    const keeping = etcdctl.follow('lease', 'keep-alive', id);
    t.deepEqual(await take(keeping, 1), [`lease ${id} keepalived with TTL(300)`]);
    keeping.child.kill();
    t.true((await prints('lease', 'list')).includes(id));
    t.regex(
      await prints('lease', 'timetolive', id, '--keys'),
      new RegExp(
        `^lease ${id} granted with TTL\\(300s\\), remaining\\(\\d+s\\), attached keys\\(\\[leased\\]\\)$`,
      ),
    );
    t.is(await prints('lease', 'revoke', id), `lease ${id} revoked`);
    t.is(await prints('get', 'leased'), '');
    t.is(await prints('lease', 'timetolive', id), `lease ${id} already expired`);
    const again = await etcdctl.run(['lease', 'revoke', id]);
    t.regex(again.error, /requested lease not found/);
  });

  test.serial('a lock is handed over when its holder dies', async (t) => {
    t.regex(await prints('lock', 'a lock', 'echo', 'locked'), /locked/);
    const first = etcdctl.follow('lock', 'a lock', '--ttl', '2');
    t.regex((await take(first, 1))[0] ?? '', /^a lock\/[0-9a-f]+$/);
    const second = etcdctl.follow('lock', 'a lock', '--ttl', '2');
    const locked = take(second, 1);
    t.is(await Promise.race([locked, delay(500).then(() => 'waiting')]), 'waiting');
    first.child.kill('SIGKILL');
    t.regex((await locked)[0] ?? '', /^a lock\/[0-9a-f]+$/);
    second.child.kill('SIGINT');
    await once(second.child, 'exit');
    t.is(await prints('get', 'a lock', '--prefix'), '');
  });

  test.serial('an election goes on to the next', async (t) => {
    const first = etcdctl.follow('elect', 'an election', 'first');
    t.regex((await take(first, 1))[0] ?? '', /^an election\/[0-9a-f]+$/);
    t.deepEqual(await take(first, 1), ['first']);
    const observer = etcdctl.follow('elect', '--listen', 'an election');
    t.regex((await take(observer, 1))[0] ?? '', /^an election\/[0-9a-f]+$/);
    const second = etcdctl.follow('elect', 'an election', 'second');
    first.child.kill('SIGINT');
    t.regex((await take(second, 1))[0] ?? '', /^an election\/[0-9a-f]+$/);
    t.deepEqual(await take(second, 1), ['second']);
    second.child.kill('SIGINT');
    await once(second.child, 'exit');
    observer.child.kill();
  });
} else
  test.serial('etcdctl is not installed: it is not tried', (t) => {
    t.false(hasEtcdctl);
  });
