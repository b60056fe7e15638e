import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { isLoopback } from '../base/loopback.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { type Bytes, bytes, parseBytes } from '../base/units.ts';
import type { Foundation } from './kv/auth/change.ts';
import { RightsSchema } from './rights-settings.ts';

/** The files of a member's TLS identity, in PEM; clients and members must show one of the same CA. */
export interface TlsFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** What a member of the pool database is told at its start. */
export interface MemberSettings {
  readonly name: string;
  readonly dataDir: string;
  /** HOST:PORT; with port 0 any that is free. */
  readonly listenClient: string;
  readonly listenPeer: string;
  /** HOST:PORT that clients are told; null for `listenClient`. */
  readonly advertiseClient: string | null;
  /**
   * HOST:PORT of the members' own traffic, by the name of each member, this one included. It counts
   * while the data directory is empty; from then on the log tells who takes part, and where.
   */
  readonly initialCluster: ReadonlyMap<string, string>;
  /** Whether `initialCluster` begins a pool, or names members of the one that is joined. */
  readonly initialClusterState: 'new' | 'existing';
  /** Tells pools apart whose members have the same names. */
  readonly clusterToken: string;
  /** Null: plain text, on loopback addresses only, and only where `insecure` asks for it. */
  readonly tls: TlsFiles | null;
  /** Above this size of the store, writes are refused. */
  readonly quota: Bytes;
  /** Revisions that are kept for reads of the past and for watches; 0: all. */
  readonly retainRevisions: number;
  /**
   * Who may do what in a pool that has just begun; once somebody has changed rights, it counts for
   * nothing. Null or left out: everybody who has a certificate may do everything until then.
   */
  readonly rights?: Foundation | null;
}

/** Voters that a pool may begin with: more would only slow it down. */
const votersMax = 7;

/** Members that may be named: voters, and as many learners. */
const membersMax = 2 * votersMax;

/**
 * A quarter above this many revisions, what is older is compacted: enough for a watcher to come back
 * after minutes of a busy pool's writing, and at 500 bytes a version about 30 MB.
 */
const retainRevisionsDefault = 50_000;

const addressPattern = /^(?:\[[0-9a-fA-F:]+\]|[^:[\]/\s]+):(\d{1,5})$/;

const Address = v.pipe(
  v.string(),
  v.check(
    (text) => Number(addressPattern.exec(text)?.[1] ?? 65_536) <= 65_535,
    'is not HOST:PORT, such as 127.0.0.1:2379',
  ),
);

/** etcd's users write members' addresses as URLs. */
const PeerAddress = v.pipe(
  v.string(),
  v.transform((text) => text.replace(/^https?:\/\//, '')),
  Address,
);

const Size = v.pipe(
  v.union([v.string(), v.number()]),
  v.transform((size) => parseBytes(String(size))),
  v.check((size) => size.ok && size.value >= 2 ** 20, 'is not a size of at least 1MiB'),
  v.transform((size) => (size.ok ? size.value : bytes(0))),
);

const Name = v.pipe(
  v.string(),
  v.regex(/^[\w.-]{1,63}$/, 'is not 1 to 63 letters, digits, "_", "-" and "."'),
);

/** What commands on a data directory need to know as well. */
const offlineFields = {
  name: Name,
  dataDir: v.pipe(v.string(), v.minLength(1)),
  initialCluster: v.pipe(
    v.record(Name, PeerAddress),
    v.check(
      (cluster) => Object.keys(cluster).length <= membersMax,
      `names more than ${membersMax} members`,
    ),
  ),
  clusterToken: v.optional(v.pipe(v.string(), v.maxLength(63)), 'flotilla'),
};

const OfflineSchema = v.strictObject(offlineFields);

const SettingsSchema = v.strictObject({
  ...offlineFields,
  listenClient: Address,
  listenPeer: Address,
  advertiseClient: v.optional(Address),
  initialClusterState: v.optional(v.picklist(['new', 'existing'], 'is not new or existing'), 'new'),
  tls: v.optional(
    v.strictObject({
      ca: v.pipe(v.string(), v.minLength(1)),
      certificate: v.pipe(v.string(), v.minLength(1)),
      key: v.pipe(v.string(), v.minLength(1)),
    }),
  ),
  insecure: v.optional(v.boolean(), false),
  rights: v.optional(RightsSchema),
  quota: v.optional(Size),
  retainRevisions: v.optional(
    v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    retainRevisionsDefault,
  ),
});

/** Settings as a file or flags give them: not checked yet. */
export type RawSettings = Readonly<Record<string, unknown>>;

/**
 * Checks what the file and the flags say; flags go before. `quotaDefault` is what this machine can
 * hold. The failure names the field, and says what it should be.
 */
export function readSettings(
  raw: RawSettings,
  source: string,
  quotaDefault: Bytes,
): Result<MemberSettings, string> {
  const parsed = v.safeParse(SettingsSchema, raw);
  if (!parsed.success) return fail(issueText(source, parsed.issues[0]));
  const { advertiseClient, initialCluster, tls, insecure, quota, rights, ...rest } = parsed.output;
  const settings = {
    ...rest,
    advertiseClient: advertiseClient ?? null,
    initialCluster: new Map(Object.entries(initialCluster)),
    tls: tls ?? null,
    quota: quota ?? quotaDefault,
    rights: rights ?? null,
  };
  const problem = inconsistency(settings) ?? plainTextProblem(settings, insecure);
  return problem === null ? ok(settings) : fail(`${source}: ${problem}`);
}

/** What commands on the data directory of a member that does not run are told. */
export type OfflineSettings = Pick<
  MemberSettings,
  'name' | 'dataDir' | 'initialCluster' | 'clusterToken'
>;

/** Checks what such a command was told. The failure names the field. */
export function readOfflineSettings(
  raw: RawSettings,
  source: string,
): Result<OfflineSettings, string> {
  const parsed = v.safeParse(OfflineSchema, raw);
  if (!parsed.success) return fail(issueText(source, parsed.issues[0]));
  const { initialCluster, ...rest } = parsed.output;
  if (initialCluster[rest.name] === undefined)
    return fail(`${source}: initialCluster: does not name the member ${rest.name}`);
  return ok({ ...rest, initialCluster: new Map(Object.entries(initialCluster)) });
}

function issueText(source: string, issue: v.BaseIssue<unknown>): string {
  return `${source}: ${v.getDotPath(issue) ?? 'content'}: ${problemOf(issue)}`;
}

function problemOf(issue: v.BaseIssue<unknown>): string {
  if (issue.received === 'undefined') return 'is missing';
  return issue.expected === 'never' ? 'is not a known field' : issue.message;
}

function inconsistency(settings: MemberSettings): string | null {
  const { name, initialCluster, initialClusterState, listenPeer } = settings;
  if (!initialCluster.has(name))
    return `initialCluster: does not name this member, ${name}; add ${name}=${listenPeer}`;
  if (initialClusterState === 'new' && initialCluster.size > votersMax)
    return `initialCluster: names ${initialCluster.size} members, of at most ${votersMax} to begin with`;
  return null;
}

const tlsFlags = 'tls (--tls-ca, --tls-cert, --tls-key)';

function plainTextProblem(settings: MemberSettings, insecure: boolean): string | null {
  const { listenClient, listenPeer, initialCluster, tls } = settings;
  if (tls === null && settings.rights) return 'rights: need tls, since identities are certificates';
  if (tls !== null) return insecure ? 'insecure: there is tls as well; give one of both' : null;
  if (!insecure)
    return `tls: is missing; give ${tlsFlags}, or insecure (--insecure) for plain text on loopback`;
  const members = [...initialCluster].map(
    ([member, address]) => [`initialCluster.${member}`, address] as const,
  );
  const own = Object.entries({ listenClient, listenPeer });
  for (const [field, address] of [...own, ...members])
    if (!isLoopback(address))
      return `${field}: ${address} is not a loopback address, and plain text is not sent over a network; give ${tlsFlags} instead of insecure`;
  return null;
}

/** Reads a JSON file of settings. The failure says where it stops being one. */
export function readSettingsFile(path: string): Result<RawSettings, string> {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const isObject = typeof content === 'object' && content !== null && !Array.isArray(content);
    return isObject ? ok({ ...content }) : fail(`${path}: is not a JSON object`);
  } catch (error) {
    return fail(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Reads `N=HOST:PORT,...`. What is not of that form is left for `readSettings` to refuse. */
export function parseCluster(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').map((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? ([pair, ''] as const) : ([pair.slice(0, at), pair.slice(at + 1)] as const);
  });
  return Object.fromEntries(pairs);
}
