import type { Command } from 'commander';
import { fail, ok } from '../base/result.ts';
import { type Milliseconds, milliseconds } from '../base/units.ts';
import type { DatabaseMember, Host, Pool } from '../proto/gen/flotilla.pool.v1.ts';
import { noun, verb } from './command.ts';
import { call } from './connection/call.ts';
import type { PoolLocation } from './connection/find-pool.ts';
import { allPages } from './connection/pages.ts';
import { refusal } from './connection/reachability.ts';
import { type Context, processContext } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import { hostListing } from './host.ts';
import { part } from './output/humane.ts';
import type { Style } from './output/style.ts';
import { propertyLines, tableLines } from './output/table.ts';
import type { Problem } from './problem.ts';
import { type PoolFlags, withPool } from './session.ts';

/** `flotilla pool`: the pool as a whole. */
export function poolCommand(context: Context = processContext()): Command {
  return noun(context, 'pool', 'Look at the pool as a whole', [statusCommand(context)]);
}

/** Whoever asks for the status may do so because there is no leader: an election's time is enough. */
const patience = milliseconds(3000);

function statusCommand(context: Context): Command {
  const summary = 'Show the pool at a glance: hosts, database, VMs';
  return verb(context, 'pool', 'status', summary).action((flags: PoolFlags) =>
    withPool(context, flags, async (session) => {
      const pool = await call(
        session.pool,
        (to, settings) => to.pool.getPool({}, settings),
        patience,
      );
      if (!pool.ok) return fail(await withMembers(session.pool.location, pool.error));
      const hosts = await allPages(session.pool, hostListing.getPage);
      if (!hosts.ok) return hosts;
      const sorted = hosts.value.toSorted(hostListing.compare);
      const answer = { ...pool.value, hostList: sorted };
      session.answer(answer, statusLines(pool.value, sorted, context.now(), session.style));
      return ok(exitCodes.done);
    }),
  );
}

/** A database that does not answer cannot tell why: its members are tried one by one. */
async function withMembers(location: PoolLocation, problem: Problem): Promise<Problem> {
  const members = location.hosts.filter((host) => host.member !== undefined);
  if (problem.reason !== 'DATABASE_UNAVAILABLE' || members.length === 0) return problem;
  const details = await Promise.all(
    members.map(async ({ name, member = '' }) => {
      const why = await refusal(member);
      return `member of ${name}  ${member}  ${why ?? 'takes connections'}`;
    }),
  );
  const remedy = 'start the members that do not answer: more than half of them must run';
  return { ...problem, details, remedy };
}

/** The pool at a glance, for people. What is not well comes with what to do about it. */
export function statusLines(
  pool: Pool,
  hosts: readonly Host[],
  now: Milliseconds,
  style: Style,
): readonly string[] {
  return [
    ...propertyLines(
      [
        ['pool', style.paint('strong', pool.name)],
        ['hosts', ratio(pool.hostsUp, pool.hosts, 'up', style)],
        ['database', database(pool.databaseMembers, style)],
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
    ...tableLines(
      [{ heading: 'DATABASE MEMBER' }, { heading: 'ADDRESS' }, { heading: 'ROLE' }],
      pool.databaseMembers.map((member) => memberRow(member, style)),
      style,
    ),
    ...warnings(pool, style),
  ];
}

function ratio(part: number, whole: number, word: string, style: Style): string {
  return style.paint(part === whole ? 'good' : 'bad', `${part} of ${whole} ${word}`);
}

function database(members: readonly DatabaseMember[], style: Style): string {
  const healthy = members.filter((member) => member.healthy).length;
  const leader = members.find((member) => member.leader);
  const led = leader === undefined ? 'no leader' : `leader ${leader.name}`;
  return `${ratio(healthy, members.length, 'members answer', style)}, ${led}`;
}

function memberRow(member: DatabaseMember, style: Style): readonly string[] {
  const role = member.leader ? 'leader' : 'follower';
  return [
    member.name,
    member.clientAddress,
    member.healthy ? role : style.paint('bad', 'does not answer'),
  ];
}

/** How many more members the database can lose, where that is none; it is what decides over all else. */
function warnings(pool: Pool, style: Style): readonly string[] {
  const members = pool.databaseMembers;
  const healthy = members.filter((member) => member.healthy).length;
  const majority = Math.floor(members.length / 2) + 1;
  if (healthy === members.length || healthy > majority) return [];
  return [
    '',
    style.paint(
      'busy',
      healthy === majority
        ? 'warning: if one more member of the database is lost, nothing can be changed; start those that do not answer'
        : 'warning: the database has no majority, so nothing can be changed; start the members that do not answer',
    ),
  ];
}
