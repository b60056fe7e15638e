import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import test from 'ava';
import { seededRandom } from '../../base/random.ts';
import { milliseconds } from '../../base/units.ts';
import { issue, makeAuthority } from '../../pool/identity/authority.ts';
import { ConsensusCluster } from './consensus-cluster.ts';
import { hasNamespaces, Namespaces } from './network/namespaces.ts';
import { strikeAll } from './workload/faults.ts';
import { bridgeLeft, leaderSeparated } from './workload/partitions.ts';
import { runWorkload } from './workload/workload.ts';

const withNamespaces = hasNamespaces() ? test : test.skip;

/** One identity for all: what it takes for members to talk over a network that is not loopback. */
async function identityOf(hosts: readonly string[], directory: string) {
  const now = milliseconds(Date.now());
  const authority = await makeAuthority('test', now);
  const identity = await issue(authority, { name: 'host-1/consensus', hosts }, now);
  const { ca, certificate, key } = identity;
  const files = {
    ca: join(directory, 'ca'),
    cert: join(directory, 'cert'),
    key: join(directory, 'key'),
  };
  await writeFile(files.ca, ca);
  await writeFile(files.cert, certificate);
  await writeFile(files.key, key);
  return {
    flags: ['--tls-ca', files.ca, '--tls-cert', files.cert, '--tls-key', files.key],
    channel: credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(certificate)),
  };
}

withNamespaces(
  'clients see one store while links between network namespaces fail (needs root)',
  async (t) => {
    t.timeout(180_000);
    const directory = await mkdtemp(join(tmpdir(), 'flotilla-identity-'));
    const network = await Namespaces.make(3);
    t.teardown(async () => {
      await network.remove();
      await rm(directory, { recursive: true });
    });
    const { flags, channel } = await identityOf(network.hosts, directory);
    const cluster = await ConsensusCluster.start(3, {
      addresses: network.addresses,
      within: (index) => network.within(index),
      flags,
      credentials: channel,
    });
    try {
      const outcome = await runWorkload(cluster, 1, () =>
        strikeAll(cluster, seededRandom(1), [
          leaderSeparated(network, 'down'),
          leaderSeparated(network, 'mute'),
          leaderSeparated(network, 'deaf'),
          bridgeLeft(network, 'down'),
        ]),
      );
      t.log(outcome);
      t.deepEqual(outcome.problems, []);
      t.true(outcome.acknowledged > 50);
      t.true(outcome.elections >= 3, 'the faults have had their effect');
    } finally {
      await cluster.close();
    }
  },
);
