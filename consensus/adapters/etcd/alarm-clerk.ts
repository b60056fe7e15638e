import { milliseconds } from '../../../base/units.ts';
import { membersOf } from '../../core/configuration.ts';
import type { Alarm, AlarmCause } from '../../kv/alarm.ts';
import type { Clock } from '../../ports.ts';
import type { EtcdMember } from './member.ts';

/** How often a member compares its alarms with how it is, beside each change of its state. */
const lookInterval = milliseconds(1000);

/**
 * Keeps the alarms that a member raises by itself true. The quota's is raised by the write that
 * meets it, and ends when there is room again; a full disk's comes and goes with its cause. What
 * somebody asked for stays until they end it. The leader ends those of members that were removed.
 * Returns what stops it.
 */
export function keepAlarms(member: EtcdMember, clock: Clock): () => void {
  let underWay = false;
  const look = async () => {
    if (underWay || member.replica.status().leader === null) return;
    underWay = true;
    // What does not succeed is tried again at the next look. A full disk must not keep it back.
    for (const alarm of missing(member)) await member.propose({ kind: 'raise', alarm }, true);
    for (const alarms of over(member)) await member.propose({ kind: 'clear', alarms }, true);
    underWay = false;
  };
  const stops = [
    clock.every(lookInterval, () => void look()),
    member.replica.onStatus(() => void look()),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function own(member: EtcdMember, cause: AlarmCause): Alarm {
  return { member: member.id, kind: 'no-space', cause };
}

function has(member: EtcdMember, cause: AlarmCause): boolean {
  return member.store.alarms
    .all()
    .some((alarm) => alarm.member === member.id && alarm.cause === cause);
}

function missing(member: EtcdMember): Alarm[] {
  return member.isDiskFull && !has(member, 'disk') ? [own(member, 'disk')] : [];
}

function over(member: EtcdMember): Alarm[] {
  const ended: Alarm[] = [];
  if (member.hasRoom && has(member, 'quota')) ended.push(own(member, 'quota'));
  if (!member.isDiskFull && has(member, 'disk')) ended.push(own(member, 'disk'));
  const { role, configuration } = member.replica.status();
  if (role !== 'leader') return ended;
  const members: readonly number[] = membersOf(configuration);
  const orphans = member.store.alarms.all().filter((alarm) => !members.includes(alarm.member));
  return [...ended, ...orphans];
}
