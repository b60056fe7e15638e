import { getHeapStatistics } from 'node:v8';
import { Command } from 'commander';
import { ok, type Result } from '../base/result.ts';
import { type Bytes, bytes } from '../base/units.ts';
import {
  type MemberSettings,
  parseCluster,
  type RawSettings,
  readSettings,
  readSettingsFile,
} from './settings.ts';

/** The least of: etcd's default quota, and half of what V8 lets this process allocate. */
const quotaDefault: Bytes = bytes(
  Math.min(2 * 2 ** 30, Math.floor(getHeapStatistics().heap_size_limit / 2)),
);

/** The flags as they were given. */
export interface Flags {
  readonly config?: string;
  readonly initialCluster?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly retainRevisions?: string;
  readonly insecure?: true;
  readonly [name: string]: string | true | undefined;
}

/** The command with its flags and its help, without what it does. */
export function flagsCommand(): Command {
  return new Command('consensus')
    .enablePositionalOptions()
    .description(
      'Run one member of the pool database: a replicated key-value store with the etcd v3 API.',
    )
    .option('--name <name>', 'this member, as --initial-cluster names it')
    .option('--data-dir <dir>', 'where the log and the snapshots are kept')
    .option('--listen-client <host:port>', "where clients are served, by etcd's API")
    .option('--listen-peer <host:port>', 'where the other members are served')
    .option(
      '--initial-cluster <n=host:port,...>',
      'peer addresses of the members, this one included',
    )
    .option('--initial-cluster-state <state>', 'new, or existing to join the pool of the others')
    .option('--initial-cluster-token <token>', 'tells apart pools whose members have equal names')
    .option('--advertise-client <host:port>', 'what clients are told, if not --listen-client')
    .option('--tls-ca <file>', 'PEM; clients and members must have certificates of this CA')
    .option('--tls-cert <file>', 'PEM; the certificate of this member')
    .option('--tls-key <file>', 'PEM; its private key')
    .option('--insecure', 'plain text instead of TLS, on loopback addresses only')
    .option('--quota <size>', 'largest size of the store, such as 512MiB')
    .option('--retain-revisions <n>', 'history that is kept for watches; 0 keeps all')
    .option('--config <file>', 'JSON with the same fields; flags go before')
    .addHelpText('after', help);
}

const help = `
Fields of the file: name, dataDir, listenClient, listenPeer, initialCluster ({"NAME": "HOST:PORT"}),
initialClusterState, clusterToken, advertiseClient, tls ({"ca", "certificate", "key"}), insecure,
quota, retainRevisions, rights (who may do what in a pool that begins: docs/access.md).

One member:
  flotilla consensus --name a --data-dir a --listen-client 127.0.0.1:2379 \\
    --listen-peer 127.0.0.1:2380 --initial-cluster a=127.0.0.1:2380 --insecure
  etcdctl --endpoints 127.0.0.1:2379 endpoint status

A second one joins it:
  etcdctl --endpoints 127.0.0.1:2379 member add b --peer-urls http://127.0.0.1:2390
  flotilla consensus --name b --data-dir b --listen-client 127.0.0.1:2389 \\
    --listen-peer 127.0.0.1:2390 --initial-cluster a=127.0.0.1:2380,b=127.0.0.1:2390 \\
    --initial-cluster-state existing --insecure

--initial-cluster counts while the data directory is empty. From then on the log tells who takes part,
and where. A member that was removed ends with exit code 2, and does not come back by itself.`;

/** What the flags, and the file that they name, say. The failure names the field. */
export function settingsOf(flags: Flags): Result<MemberSettings, string> {
  const file: Result<RawSettings, string> =
    flags.config === undefined ? ok({}) : readSettingsFile(flags.config);
  if (!file.ok) return file;
  const { tlsCa, tlsCert, tlsKey } = flags;
  const hasTls = tlsCa !== undefined || tlsCert !== undefined || tlsKey !== undefined;
  const given = {
    name: flags.name,
    dataDir: flags.dataDir,
    listenClient: flags.listenClient,
    listenPeer: flags.listenPeer,
    advertiseClient: flags.advertiseClient,
    initialCluster:
      flags.initialCluster === undefined ? undefined : parseCluster(flags.initialCluster),
    initialClusterState: flags.initialClusterState,
    clusterToken: flags.initialClusterToken,
    tls: hasTls ? { ca: tlsCa, certificate: tlsCert, key: tlsKey } : undefined,
    insecure: flags.insecure,
    quota: flags.quota,
    retainRevisions:
      flags.retainRevisions === undefined ? undefined : Number(flags.retainRevisions),
  };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  const raw = { ...file.value, ...Object.fromEntries(set) };
  return readSettings(raw, flags.config ?? 'flotilla consensus', quotaDefault);
}
