import { bytes, formatBytes } from '../../base/units.ts';
import { nothing } from '../output/humane.ts';
import type { Style } from '../output/style.ts';
import type { Column } from '../output/table.ts';
import { addressOf, type MemberReport, type Survey } from './survey.ts';

/** An id as `etcdctl` prints it. */
export function idText(id: bigint): string {
  return id.toString(16);
}

/** What a member is called where it is talked about: its name, else its id. */
export function titleOf(member: Pick<MemberReport, 'name' | 'id'>): string {
  return member.name === '' ? idText(member.id) : member.name;
}

/** More entries than this and a member is told as behind: a second of heavy writing. */
export const behindNoticed = 5000;

/** `leader`, `voter`, `learner`. */
export function roleOf(member: MemberReport): 'leader' | 'voter' | 'learner' {
  if (member.leader) return 'leader';
  return member.learner ? 'learner' : 'voter';
}

/** What is not well about a member that answers, else `up`; or why it does not answer. */
export function stateOf(member: MemberReport): string {
  if (member.status === null) return member.why;
  return member.status.leader === 0n ? 'up, knows no leader' : 'up';
}

/** The columns of `pool members`; what a narrow terminal cuts off comes last. */
export const memberColumns: readonly Column[] = [
  { heading: 'NAME' },
  { heading: 'ID' },
  { heading: 'ROLE' },
  { heading: 'STATE' },
  { heading: 'VERSION' },
  { heading: 'STORE', align: 'right' },
  { heading: 'INDEX', align: 'right' },
  { heading: 'BEHIND', align: 'right' },
  { heading: 'ALARMS' },
  { heading: 'CLIENTS' },
  { heading: 'PEERS' },
];

/** One row of `memberColumns`. */
export function memberRow(member: MemberReport, style: Style): readonly string[] {
  const { status } = member;
  return [
    member.name === '' ? nothing : style.paint('strong', member.name),
    member.id === 0n ? nothing : idText(member.id),
    roleOf(member),
    style.paint(member.status === null || status?.leader === 0n ? 'bad' : 'good', stateOf(member)),
    status?.version ?? nothing,
    status === null ? nothing : formatBytes(bytes(Number(status.dbSize))),
    status === null ? nothing : String(status.raftIndex),
    behind(member, style),
    member.alarms.length === 0 ? nothing : style.paint('bad', member.alarms.join(',')),
    member.clients.length === 0 ? nothing : member.clients.map(addressOf).join(','),
    member.peers.length === 0 ? nothing : member.peers.map(addressOf).join(','),
  ];
}

function behind(member: MemberReport, style: Style): string {
  if (member.behind === null) return nothing;
  return style.paint(member.behind > behindNoticed ? 'busy' : 'faint', String(member.behind));
}

/** A member as `--json` prints it: 64-bit ids as etcdctl's hexadecimal text. */
export function memberJson(member: MemberReport): object {
  const { status } = member;
  return {
    name: member.name,
    id: idText(member.id),
    role: roleOf(member),
    up: status !== null,
    state: stateOf(member),
    version: status?.version ?? '',
    storeSize: Number(status?.dbSize ?? 0n),
    storeSizeInUse: Number(status?.dbSizeInUse ?? 0n),
    raftTerm: Number(status?.raftTerm ?? 0n),
    raftIndex: Number(status?.raftIndex ?? 0n),
    raftAppliedIndex: Number(status?.raftAppliedIndex ?? 0n),
    behind: member.behind,
    alarms: member.alarms,
    errors: status?.errors ?? [],
    clientUrls: member.clients,
    peerUrls: member.peers,
  };
}

/** What is not well, a line each, with what to do about it. */
export function surveyWarnings({ members, leader }: Survey): readonly string[] {
  const voters = members.filter((member) => !member.learner);
  const up = voters.filter((member) => member.status !== null).length;
  const majority = Math.floor(voters.length / 2) + 1;
  const warnings: string[] = [];
  if (up < majority)
    warnings.push(
      `warning: ${up} of ${voters.length} voters answer and ${majority} must, so nothing can be changed; start those that do not answer`,
    );
  else if (up < voters.length && up === majority)
    warnings.push(
      'warning: if one more member of the database is lost, nothing can be changed; start those that do not answer',
    );
  else if (leader === undefined)
    warnings.push('warning: no member leads just now; an election takes about a second');
  for (const member of members) {
    if (member.behind !== null && member.behind > behindNoticed)
      warnings.push(`warning: ${titleOf(member)} is ${member.behind} entries behind the others`);
    for (const alarm of member.alarms) warnings.push(`warning: ${alarmWords(member, alarm)}`);
  }
  return warnings;
}

function alarmWords(member: MemberReport, alarm: string): string {
  switch (alarm) {
    case 'NOSPACE':
      return `${titleOf(member)} has the alarm NOSPACE: its disk is full, or the store has met its quota and takes nothing that makes it larger; see docs/pool-database.md`;
    case 'CORRUPT':
      return `${titleOf(member)} has the alarm CORRUPT: its data differs from the others'; remove it and add it anew`;
    default:
      return `${titleOf(member)} has the alarm ${alarm}`;
  }
}
