import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import test from 'ava';
import { ConsensusCluster } from './consensus-cluster.ts';

/** Debian: `apt-get install etcd-client`. */
const hasEtcdctl = spawnSync('etcdctl', ['version']).status === 0;

/** Longest a command may take; a hang is a failure. */
const commandPatience = 60_000;

let cluster: ConsensusCluster | null = null;

function endpoints(): readonly string[] {
  return cluster?.endpoints ?? [];
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs etcdctl on all members, with what it reads on its standard input. */
function etcdctl(words: readonly string[], input = ''): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      'etcdctl',
      ['--endpoints', endpoints().join(), ...words],
      { timeout: commandPatience },
      (error, out, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, out: out.trimEnd(), error: stderr });
      },
    );
    child.stdin?.end(input);
  });
}

/** What etcdctl prints, where it succeeds. */
async function prints(...words: readonly string[]): Promise<string> {
  const ran = await etcdctl(words);
  if (ran.code !== 0) throw new Error(`etcdctl ${words.join(' ')}: ${ran.error}${ran.out}`);
  return ran.out;
}

/** An etcdctl that goes on, and its lines. */
function follow(...words: readonly string[]): {
  child: ChildProcess;
  lines: AsyncIterator<string>;
} {
  const child = spawn('etcdctl', ['--endpoints', endpoints().join(), ...words], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

async function take(lines: AsyncIterator<string>, count: number): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const next = await lines.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}

if (hasEtcdctl) {
  test.before(async (t) => {
    t.timeout(120_000);
    cluster = await ConsensusCluster.start(3);
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
    t.is(
      await prints('get', 'basic/', '--prefix', '--order', 'DESCEND', '--limit', '1'),
      'basic/b\n2',
    );
    t.is(await prints('get', 'basic/', '--prefix', '--sort-by', 'VALUE'), 'basic/b\n2\nbasic/a\n3');
    t.is(await prints('get', 'basic/b', '--from-key', '--limit', '1'), 'basic/b\n2');
    t.is(await prints('get', 'basic/a', 'basic/b'), 'basic/a\n3');
    t.is(await prints('get', 'basic/a', '--consistency', 's'), 'basic/a\n3');
    t.is(await prints('del', 'basic/', '--prefix', '--prev-kv'), '2\nbasic/a\n3\nbasic/b\n2');
    t.is(await prints('get', 'basic/', '--prefix'), '');
  });

  test.serial('etcdctl reads the past, and is told of what is compacted', async (t) => {
    const put = async (value: string): Promise<string> => {
      const { header } = JSON.parse(await prints('put', 'past', value, '-w', 'json'));
      return String(header.revision);
    };
    const first = await put('1');
    const second = await put('2');
    t.is(await prints('get', 'past', '--rev', first), 'past\n1');
    t.is(await prints('compaction', second), `compacted revision ${second}`);
    const refused = await etcdctl(['get', 'past', '--rev', first]);
    t.is(refused.code, 1);
    t.regex(refused.error, /mvcc: required revision has been compacted/);
    t.is(await prints('get', 'past', '--rev', second), 'past\n2');
  });

  test.serial('etcdctl runs a transaction', async (t) => {
    await prints('put', 'txn', 'old');
    const script =
      'value("txn") = "old"\nmod("txn") > "0"\n\nput txn new\nget txn\n\nput txn no\n\n';
    const ran = await etcdctl(['txn'], script);
    t.is(ran.out, 'SUCCESS\n\nOK\n\ntxn\nnew');
    t.is((await etcdctl(['txn'], script)).out, 'FAILURE\n\nOK');
    t.is(await prints('get', 'txn', '--print-value-only'), 'no');
  });

  test.serial('etcdctl watches a prefix, from the past too', async (t) => {
    const { header } = JSON.parse(await prints('put', 'watch/a', '1', '-w', 'json'));
    const watch = follow(
      'watch',
      'watch/',
      '--prefix',
      '--prev-kv',
      '--rev',
      String(header.revision),
    );
    t.deepEqual(await take(watch.lines, 3), ['PUT', 'watch/a', '1']);
    await prints('put', 'watch/a', '2');
    t.deepEqual(await take(watch.lines, 5), ['PUT', 'watch/a', '1', 'watch/a', '2']);
    await prints('del', 'watch/a');
    t.deepEqual(await take(watch.lines, 5), ['DELETE', 'watch/a', '2', 'watch/a', '']);
    watch.child.kill();
  });

  test.serial('etcdctl grants, renews, shows and revokes a lease', async (t) => {
    const granted = await prints('lease', 'grant', '300');
    const id = /^lease ([0-9a-f]+) granted with TTL\(300s\)$/.exec(granted)?.[1] ?? '';
    t.not(id, '');
    await prints('put', 'leased', '1', '--lease', id);
    t.is(await prints('lease', 'keep-alive', '--once', id), `lease ${id} keepalived with TTL(300)`);
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
  });

  test.serial('etcdctl locks, and elects', async (t) => {
    t.regex(await prints('lock', 'a lock', 'echo', 'locked'), /locked/);
    const first = follow('elect', 'an election', 'first');
    const [key] = await take(first.lines, 1);
    t.regex(key ?? '', /^an election\/[0-9a-f]+$/);
    t.deepEqual(await take(first.lines, 1), ['first']);
    const second = follow('elect', 'an election', 'second');
    first.child.kill('SIGINT');
    t.regex((await take(second.lines, 1))[0] ?? '', /^an election\/[0-9a-f]+$/);
    t.deepEqual(await take(second.lines, 1), ['second']);
    second.child.kill('SIGINT');
    await once(second.child, 'exit');
  });

  test.serial('etcdctl lists the members, and how each is', async (t) => {
    const members = (await prints('member', 'list')).split('\n');
    t.is(members.length, 3);
    for (const line of members) t.regex(line, /^[0-9a-f]+, started, m\d, http:.*, http:.*, false$/);
    const health = await etcdctl(['endpoint', 'health', '--cluster']);
    t.is(health.code, 0);
    t.is(health.error.match(/is healthy/g)?.length ?? 0, 3);
    const states = JSON.parse(await prints('endpoint', 'status', '-w', 'json'));
    const leaders = new Set(
      states.map((each: { Status: { leader: number } }) => each.Status.leader),
    );
    t.is(leaders.size, 1);
    t.is(await prints('alarm', 'list'), '');
  });

  test.serial('etcdctl is told what is not there yet', async (t) => {
    const refused = await etcdctl(['defrag']);
    t.not(refused.code, 0);
    t.regex(refused.error + refused.out, /Unimplemented/);
  });
} else
  test.serial('etcdctl is not installed: it is not tried', (t) => {
    t.false(hasEtcdctl);
  });
