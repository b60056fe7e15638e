import { fail, ok, type Result } from '../../base/result.ts';
import { readStoredIdentity } from '../adapters/disk/identity.ts';
import { DiskLogStore } from '../adapters/disk/log-store.ts';
import { type Configuration, configurationOf, isVoter, membersOf } from '../core/configuration.ts';
import type { Entry, HardState, Position } from '../core/entry.ts';
import { type LogIndex, logIndex, type MemberId, term } from '../core/ids.ts';
import { recoveredPool } from '../identity.ts';

/** Which member goes on alone. */
export interface RecoverOptions {
  readonly dataDir: string;
  readonly name: string;
  /** HOST:PORT where it will listen for members that join. */
  readonly listenPeer: string;
  /** What it is started with, for a directory that an older version has written. */
  readonly clusterToken: string;
  /** Looks only, and changes nothing, unless this is true. */
  readonly confirmed: boolean;
}

/** What a member has, and what it becomes. */
export interface Recovery {
  readonly member: MemberId;
  readonly isVoter: boolean;
  readonly pool: string;
  /** The id of the pool that it begins; null if nothing was changed. */
  readonly newPool: string | null;
  /** The last entry that it has. */
  readonly last: Position;
  /** What it knows to be committed; more may be. */
  readonly commit: LogIndex;
  /** The others of the former pool, who must never start again. */
  readonly others: readonly { readonly member: MemberId; readonly peers: readonly string[] }[];
}

/**
 * Makes one member that is left of a pool the only voter of a new one, with everything that is in
 * its log: what had been acknowledged is there if any majority of the former voters' logs had no
 * more than this one. Others of the former pool are refused from then on, as strangers. Run again
 * after a crash, it begins again. The failure is a sentence.
 */
export async function recover(options: RecoverOptions): Promise<Result<Recovery, string>> {
  const { dataDir, name } = options;
  const stored = await readStoredIdentity(dataDir);
  if (!stored.ok) return fail(stored.error.detail);
  if (stored.value === null) return fail(`there is no member in ${dataDir}`);
  const { configuration, incarnation, format, ...identity } = stored.value;
  if (identity.name !== undefined && identity.name !== name)
    return fail(`${dataDir} belongs to the member ${identity.name}, not to ${name}`);
  const opened = await DiskLogStore.open({
    directory: dataDir,
    identity: { ...identity, name, token: identity.token ?? options.clusterToken },
    configuration,
  });
  if (!opened.ok) return fail(opened.error.detail);
  const found = look(opened.value, identity.pool, identity.member);
  const done =
    found.ok && options.confirmed ? await goOn(opened.value, found.value, options) : found;
  await opened.value.close();
  return done;
}

function look(disk: DiskLogStore, pool: string, member: MemberId): Result<Recovery, string> {
  const { hardState, entries, base, snapshot } = disk.recovered;
  const configuration = newestConfiguration(entries) ?? snapshot.configuration;
  if (membersOf(configuration).length === 0)
    return fail(
      'this member has not received anything of its pool yet: there is nothing to recover',
    );
  const last = entries.at(-1) ?? base;
  return ok({
    member,
    isVoter: isVoter(configuration, member),
    pool,
    newPool: null,
    last: { index: last.index, term: last.term },
    commit: hardState.commit,
    others: membersOf(configuration)
      .filter((other) => other !== member)
      .map((other) => ({
        member: other,
        peers: configuration.addresses.find((each) => each.member === other)?.peers ?? [],
      })),
  });
}

function newestConfiguration(entries: readonly Entry[]): Configuration | null {
  const found = entries.findLast(({ payload }) => payload.kind === 'configuration')?.payload;
  return found?.kind === 'configuration' ? found.configuration : null;
}

/**
 * First the name of the new pool, then the configuration: after a crash in between, the member
 * belongs to nobody and cannot lead, rather than lead beside the others under their pool's name.
 */
async function goOn(
  disk: DiskLogStore,
  recovery: Recovery,
  { listenPeer }: RecoverOptions,
): Promise<Result<Recovery, string>> {
  const { member, last } = recovery;
  const { pool: newPool } = recoveredPool();
  const adopted = await disk.adoptPool(newPool);
  if (!adopted.ok) return fail(adopted.error.detail);
  const next = term(Math.max(disk.recovered.hardState.term, last.term) + 1);
  const hardState: HardState = { term: next, vote: member, commit: recovery.commit };
  const addresses = [{ member, peers: [listenPeer] }];
  const configuration = { ...configurationOf([member]), addresses };
  const entry: Entry = {
    index: logIndex(last.index + 1),
    term: next,
    payload: { kind: 'configuration', configuration, proposal: null },
  };
  const written = await disk.write([{ sequence: 0, hardState, reset: null, entries: [entry] }]);
  return written.ok ? ok({ ...recovery, newPool }) : fail(written.error.detail);
}
