import { ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import {
  Cluster,
  Maintenance,
  type Member,
  type StatusResponse,
} from '../../proto/gen/etcdserverpb.ts';
import type { Problem } from '../problem.ts';
import type { Database } from './database.ts';
import { etcdFailure } from './errors.ts';

/** One member: what the database says of it, and what it says of itself. */
export interface MemberReport {
  readonly id: bigint;
  /** Empty: it has not started yet. */
  readonly name: string;
  /** URLs. */
  readonly peers: readonly string[];
  readonly clients: readonly string[];
  readonly learner: boolean;
  readonly leader: boolean;
  /** Null: it did not answer. */
  readonly status: StatusResponse | null;
  /** Why it did not answer; empty where it did. */
  readonly why: string;
  /** Entries of the log that others have committed and it has not applied; null: not known. */
  readonly behind: number | null;
  /** NOSPACE, CORRUPT. */
  readonly alarms: readonly string[];
}

/** All members at one moment. */
export interface Survey {
  readonly members: readonly MemberReport[];
  readonly leader: MemberReport | undefined;
  /** Left out: the database itself listed them. Else why it could not: they are those that are known. */
  readonly problem?: Problem;
  /** The highest revision that a member told; 0: none did. */
  readonly revision: bigint;
}

/** What one member has to say how it is. */
const statusTimeout = milliseconds(2000);
/** Whoever looks at the members may do so because there is no leader: an election's time is enough. */
const patience = milliseconds(1500);

/**
 * Asks one member who takes part, and then each how it is. A database without a leader lists nobody:
 * then the members are those whose addresses are known, as far as they answer. It fails only where no
 * member answers at all, or none may be asked.
 */
export async function survey(database: Database): Promise<Result<Survey, Problem>> {
  const listed = await database.call(
    (to, settings) => to.client(Cluster).memberList({}, settings),
    { patience, timeout: statusTimeout, quiet: true },
  );
  if (!listed.ok) return surveyOfKnown(database, listed.error);
  const { members } = listed.value;
  database.learn(members.flatMap(({ clientURLs }) => clientURLs.map(addressOf)));
  const [alarms, asked] = await Promise.all([
    alarmsOf(database),
    Promise.all(members.map((member) => ask(database, member))),
  ]);
  const unknown = asked.filter(({ member }) => member.clientURLs.length === 0);
  if (unknown.length > 0) return ok(summed(await withUntold(database, asked), alarms));
  return ok(summed(asked, alarms));
}

async function surveyOfKnown(
  database: Database,
  problem: Problem,
): Promise<Result<Survey, Problem>> {
  const asked = await Promise.all(
    database.endpoints().map((endpoint) =>
      ask(database, {
        ...nobody,
        name: database.nameAt(endpoint),
        clientURLs: [`http://${endpoint}`],
      }),
    ),
  );
  if (asked.every(({ status }) => status === null)) return { ok: false, error: problem };
  return ok({ ...summed(asked, await alarmsOf(database)), problem });
}

const nobody: Member = { ID: 0n, name: '', peerURLs: [], clientURLs: [], isLearner: false };

interface Asked {
  readonly member: Member;
  readonly status: StatusResponse | null;
  readonly why: string;
}

async function ask(database: Database, member: Member): Promise<Asked> {
  let why = 'not started yet';
  for (const url of member.clientURLs) {
    const status = await database
      .open(addressOf(url))
      .client(Maintenance)
      .status({}, { timeout: statusTimeout });
    if (status.ok) return { member, status: status.value, why: '' };
    const failure = etcdFailure(status.error);
    why = failure.kind === 'silent' ? failure.why : failure.problem.message;
  }
  return { member, status: null, why };
}

/**
 * A member that serves already may not have told its addresses yet: it is looked for at those that
 * are known.
 */
async function withUntold(database: Database, asked: readonly Asked[]): Promise<readonly Asked[]> {
  const known = await Promise.all(
    database.endpoints().map(async (endpoint) => ({
      endpoint,
      ...(await ask(database, { ...nobody, clientURLs: [`http://${endpoint}`] })),
    })),
  );
  return asked.map((each) => {
    if (each.member.clientURLs.length > 0) return each;
    const found = known.find(({ status }) => status?.header?.memberId === each.member.ID);
    if (found === undefined) return each;
    const { member, status, why } = found;
    const name = database.nameAt(found.endpoint);
    return { member: { ...each.member, name, clientURLs: member.clientURLs }, status, why };
  });
}

/** Empty where it could not be asked just now. */
async function alarmsOf(database: Database): Promise<ReadonlyMap<bigint, readonly string[]>> {
  const asked = await database.call(
    // Without the demand for a leader: the built-in database tells its alarms in any state.
    (to, { timeout }) => to.client(Maintenance).alarm({ action: 'GET' }, { timeout }),
    { patience, timeout: statusTimeout, quiet: true },
  );
  const alarms = new Map<bigint, string[]>();
  if (!asked.ok) return alarms;
  for (const { memberID, alarm } of asked.value.alarms)
    alarms.set(memberID, [...(alarms.get(memberID) ?? []), alarm]);
  return alarms;
}

/** Puts together what was heard; the leader is who the newest term says. */
function summed(asked: readonly Asked[], alarms: ReadonlyMap<bigint, readonly string[]>): Survey {
  const answers = asked.flatMap(({ status }) => (status === null ? [] : [status]));
  const newest = answers.toSorted((a, b) => Number(b.raftTerm - a.raftTerm))[0];
  const leaderId = newest?.leader ?? 0n;
  const highest = answers.reduce((most, each) => larger(most, each.raftIndex), 0n);
  const members = asked
    .map(({ member, status, why }): MemberReport => {
      const id = status?.header?.memberId ?? member.ID;
      return {
        id,
        name: member.name,
        peers: member.peerURLs,
        clients: member.clientURLs,
        learner: member.isLearner || status?.isLearner === true,
        leader: leaderId !== 0n && id === leaderId,
        status,
        why,
        behind: status === null ? null : Number(highest - smaller(highest, appliedOf(status))),
        alarms: alarms.get(id) ?? [],
      };
    })
    .toSorted(byName);
  return {
    members,
    leader: members.find((member) => member.leader),
    revision: answers.reduce((most, each) => larger(most, each.header?.revision ?? 0n), 0n),
  };
}

/** etcd before 3.4 does not tell what it has applied. */
function appliedOf({ raftAppliedIndex, raftIndex }: StatusResponse): bigint {
  return raftAppliedIndex === 0n ? raftIndex : raftAppliedIndex;
}

function byName(a: MemberReport, b: MemberReport): number {
  if (a.name === '' || b.name === '') return (a.name === '' ? 1 : 0) - (b.name === '' ? 1 : 0);
  return a.name.localeCompare(b.name, undefined, { numeric: true });
}

/** HOST:PORT of a URL; what is none is left as it is. */
export function addressOf(url: string): string {
  return url.replace(/^[a-z]+:\/\//, '').replace(/\/$/, '');
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
