import type { Command } from 'commander';
import { ok } from '../base/result.ts';
import type { Milliseconds } from '../base/units.ts';
import type { DatabaseMember, Host, Pool } from '../proto/gen/flotilla.pool.v1.ts';
import { noun, verb } from './command.ts';
import { call } from './connection/call.ts';
import { allPages } from './connection/pages.ts';
import { type Context, processContext } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import { hostListing } from './host.ts';
import { part } from './output/humane.ts';
import type { Style } from './output/style.ts';
import { propertyLines, tableLines } from './output/table.ts';
import { type PoolFlags, withPool } from './session.ts';

/** `flotilla pool`: the pool as a whole. */
export function poolCommand(context: Context = processContext()): Command {
  return noun(context, 'pool', 'Look at the pool as a whole').addCommand(
    verb(context, 'pool', 'status', 'Show the pool at a glance: hosts, database, VMs').action(
      (flags: PoolFlags) =>
        withPool(context, flags, async (session) => {
          const pool = await call(session.pool, (to, settings) => to.pool.getPool({}, settings));
          if (!pool.ok) return pool;
          const hosts = await allPages(session.pool, hostListing.getPage);
          if (!hosts.ok) return hosts;
          const sorted = hosts.value.toSorted(hostListing.compare);
          const answer = { ...pool.value, hostList: sorted };
          session.answer(answer, statusLines(pool.value, sorted, context.now(), session.style));
          return ok(exitCodes.done);
        }),
    ),
  );
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
