import type { Command } from 'commander';
import { fail, ok, type Result } from '../../base/result.ts';
import { bytes, formatBytes, type Milliseconds, milliseconds } from '../../base/units.ts';
import type { Host, Pool } from '../../proto/gen/flotilla.pool.v1.ts';
import { verb } from '../command.ts';
import { call } from '../connection/call.ts';
import { allPages } from '../connection/pages.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { hostListing } from '../host.ts';
import { part } from '../output/humane.ts';
import type { Style } from '../output/style.ts';
import { propertyLines, tableLines } from '../output/table.ts';
import type { Problem } from '../problem.ts';
import { type PoolFlags, type Session, withPool } from '../session.ts';
import { knownOnly, surveyJson } from './members.ts';
import { memberColumns, memberRow, stateOf, surveyWarnings, titleOf } from './report.ts';
import { type DatabaseFlags, databaseOfPool, talksToDatabase, withDatabase } from './session.ts';
import { addressOf, type Survey, survey } from './survey.ts';

/** Whoever asks for the status may do so because there is no leader: an election's time is enough. */
const patience = milliseconds(3000);

/** `flotilla pool status`. */
export function statusCommand(context: Context): Command {
  const summary = 'Show the pool at a glance: hosts, database, VMs';
  return talksToDatabase(verb(context, 'pool', 'status', summary)).action((flags: DatabaseFlags) =>
    flags.endpoints === undefined ? showPool(context, flags) : showDatabase(context, flags),
  );
}

/** What members of a database can tell, without a pool around them. */
function showDatabase(context: Context, flags: DatabaseFlags): Promise<void> {
  return withDatabase(context, flags, async (session) => {
    const { style } = session;
    const found = await survey(session.database);
    if (!found.ok) return found;
    const { revision, problem } = found.value;
    session.answer({ database: surveyJson(found.value) }, [
      ...propertyLines(
        [
          ['database', databaseWords(found.value, style).join(', ')],
          ['revision', `${revision}`],
        ],
        style,
      ),
      '',
      ...askedLines(found.value, style),
      ...noteLines(
        [...(problem === undefined ? [] : [knownOnly(problem)]), ...surveyWarnings(found.value)],
        style,
      ),
    ]);
    return ok(exitCodes.done);
  });
}

function showPool(context: Context, flags: PoolFlags): Promise<void> {
  return withPool(context, flags, async (session) => {
    const pool = await call(
      session.pool,
      (to, settings) => to.pool.getPool({}, settings),
      patience,
    );
    if (!pool.ok) return fail(await withMembers(session, flags, pool.error));
    const hosts = await allPages(session.pool, hostListing.getPage);
    if (!hosts.ok) return hosts;
    const sorted = hosts.value.toSorted(hostListing.compare);
    const told = pool.value.databaseMembers.map((member) => member.clientAddress);
    const members = await databaseSurvey(session, flags, told);
    const { engine } = session.pool.location.database === undefined ? builtIn : external;
    const answer = {
      ...pool.value,
      hostList: sorted,
      database: members.ok
        ? { engine, ...surveyJson(members.value) }
        : { engine, problem: members.error.message, members: [] },
    };
    const view = { pool: pool.value, hosts: sorted, members, engine };
    session.answer(answer, statusLines(view, context.now(), session.style));
    return ok(exitCodes.done);
  });
}

const builtIn = { engine: 'consensus' } as const;
const external = { engine: 'etcd' } as const;

/** What the status shows. */
export interface StatusView {
  readonly pool: Pool;
  readonly hosts: readonly Host[];
  /** A failure where the members themselves could not be asked. */
  readonly members: Result<Survey, Problem>;
  /** The members that the hosts run, or a cluster of etcd beside the pool. */
  readonly engine: 'consensus' | 'etcd';
}

/** Asks the members of the database themselves. */
async function databaseSurvey(
  session: Session,
  flags: PoolFlags,
  told: readonly string[],
): Promise<Result<Survey, Problem>> {
  const { location } = session.pool;
  const database = await databaseOfPool(session.context, flags, location, told);
  if (!database.ok) return database;
  const members = await survey(database.value);
  database.value.close();
  return members;
}

/** A database that does not answer cannot tell why: its members are asked one by one. */
async function withMembers(session: Session, flags: PoolFlags, problem: Problem): Promise<Problem> {
  if (problem.reason !== 'DATABASE_UNAVAILABLE') return problem;
  const members = await databaseSurvey(session, flags, []);
  if (!members.ok) return { ...problem, details: members.error.details };
  const details = members.value.members.map(
    (member) => `member ${member.clients.map(addressOf).join(', ')}  ${stateOf(member)}`,
  );
  const remedy = 'start the members that do not answer: more than half of them must run';
  return { ...problem, details, remedy };
}

/** The pool at a glance, for people. What is not well comes with what to do about it. */
export function statusLines(view: StatusView, now: Milliseconds, style: Style): readonly string[] {
  const { pool, hosts, members } = view;
  const asked = members.ok ? members.value : undefined;
  const warnings = asked === undefined ? [] : surveyWarnings(asked);
  return [
    ...propertyLines(
      [
        ['pool', style.paint('strong', pool.name)],
        ['hosts', ratio(pool.hostsUp, pool.hosts, 'up', style)],
        ['database', databaseLine(view, style)],
        ['revision', `${pool.revision}`],
        ['vms', `${pool.vms}, ${pool.vmsRunning} running`],
        ['memory reserved', part(pool.memoryReserved, pool.memoryTotal)],
        ['operations', `${pool.operationsRunning} under way`],
      ],
      style,
    ),
    '',
    ...tableLines(
      hostListing.columns,
      hosts.map((host) => hostListing.row(host, now, style)),
      style,
    ),
    '',
    ...(asked === undefined ? toldLines(pool, style) : askedLines(asked, style)),
    ...noteLines(warnings, style),
  ];
}

function noteLines(notes: readonly string[], style: Style): readonly string[] {
  return notes.length === 0 ? [] : ['', ...notes.map((line) => style.paint('busy', line))];
}

/** What a glance has room for; `flotilla pool members` shows the rest. */
const glance = ['NAME', 'ROLE', 'STATE', 'STORE', 'BEHIND', 'ALARMS', 'CLIENTS'];

function askedLines({ members }: Survey, style: Style): readonly string[] {
  const shown = memberColumns.map(({ heading }) => glance.includes(heading));
  const columns = memberColumns.filter((_, index) => shown[index]);
  return tableLines(
    columns.map((each) => (each.heading === 'NAME' ? { heading: 'DATABASE MEMBER' } : each)),
    members.map((member) => memberRow(member, style).filter((_, index) => shown[index])),
    style,
  );
}

/** Where the members may not be asked by whoever asks for the status: what the services heard. */
function toldLines({ databaseMembers }: Pool, style: Style): readonly string[] {
  return tableLines(
    [{ heading: 'DATABASE MEMBER' }, { heading: 'ADDRESS' }, { heading: 'ROLE' }],
    databaseMembers.map(({ name, clientAddress, leader, healthy }) => [
      name,
      clientAddress,
      healthy ? (leader ? 'leader' : 'follower') : style.paint('bad', 'does not answer'),
    ]),
    style,
  );
}

function ratio(part: number, whole: number, word: string, style: Style): string {
  return style.paint(part === whole ? 'good' : 'bad', `${part} of ${whole} ${word}`);
}

function databaseLine({ pool, members, engine }: StatusView, style: Style): string {
  const kind = engine === 'etcd' ? 'etcd' : 'built in';
  if (!members.ok) {
    const healthy = pool.databaseMembers.filter((member) => member.healthy).length;
    const leader = pool.databaseMembers.find((member) => member.leader)?.name;
    return `${kind}, ${ratio(healthy, pool.databaseMembers.length, 'members answer', style)}, ${led(leader)}`;
  }
  return [kind, ...databaseWords(members.value, style)].join(', ');
}

function databaseWords({ members, leader }: Survey, style: Style): readonly string[] {
  const up = members.filter((member) => member.status !== null).length;
  const alarms = members.flatMap((member) => member.alarms);
  const size = leader?.status?.dbSize;
  return [
    ratio(up, members.length, 'members answer', style),
    led(leader === undefined ? undefined : titleOf(leader)),
    ...(size === undefined ? [] : [formatBytes(bytes(Number(size)))]),
    ...(alarms.length === 0
      ? []
      : [style.paint('bad', `alarms: ${[...new Set(alarms)].join(', ')}`)]),
  ];
}

function led(leader: string | undefined): string {
  return leader === undefined ? 'no leader' : `leader ${leader}`;
}
