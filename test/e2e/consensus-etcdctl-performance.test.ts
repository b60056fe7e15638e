import test from 'ava';
import { ConsensusCluster } from './consensus-cluster.ts';
import { Etcdctl, hasEtcdctl } from './etcdctl.ts';

/**
 * It takes a minute and wants a machine that does nothing else, so that it is run when somebody asks:
 * `FLOTILLA_CHECK_PERF=s npx ava test/e2e/consensus-etcdctl-performance.test.ts` (or another load
 * that etcdctl knows: s, m, l, xl).
 */
const load = process.env.FLOTILLA_CHECK_PERF ?? '';

/** A minute of writes, and the deletion of what was written. */
const patience = 120_000;

const title = "etcdctl's check of the performance passes";
if (load === '' || !hasEtcdctl)
  test.skip(`${title} (${hasEtcdctl ? 'FLOTILLA_CHECK_PERF is not set' : 'no etcdctl on this machine'})`, () => {});
else
  test(title, async (t) => {
    t.timeout(2 * patience);
    const cluster = await ConsensusCluster.start(3);
    t.teardown(() => cluster.close());
    const etcdctl = new Etcdctl(cluster.endpoints);
    const { code, out, error } = await etcdctl.run(
      ['check', 'perf', `--load=${load}`],
      '',
      patience,
    );
    const verdicts = out.split(/[\r\n]+/).filter((line) => /^(PASS|FAIL)/.test(line.trim()));
    t.log(verdicts.join('\n'));
    t.is(code, 0, error);
    t.deepEqual(
      verdicts.filter((line) => !line.startsWith('PASS')),
      [],
    );
    t.true(verdicts.length > 1);
  });
