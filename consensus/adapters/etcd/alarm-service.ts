import { fail, ok } from '../../../base/result.ts';
import type { Input } from '../../../proto/codec.ts';
import type { AlarmMember, AlarmRequest, AlarmResponse } from '../../../proto/gen/etcdserverpb.ts';
import { membersOf } from '../../core/configuration.ts';
import type { Alarm, AlarmKind } from '../../kv/alarm.ts';
import { failures, type Served } from './failures.ts';
import type { EtcdMember } from './member.ts';
import { wholeNumber } from './requests.ts';

const kinds: Readonly<Partial<Record<AlarmRequest['alarm'], AlarmKind>>> = {
  NOSPACE: 'no-space',
  CORRUPT: 'corrupt',
};

const wireNames: Readonly<Record<AlarmKind, 'NOSPACE' | 'CORRUPT'>> = {
  'no-space': 'NOSPACE',
  corrupt: 'CORRUPT',
};

/** Shows, sets and ends alarms, as etcd's Alarm does: the answer has those that it was about. */
export async function serveAlarm(
  member: EtcdMember,
  wire: AlarmRequest,
): Promise<Served<Input<AlarmResponse>>> {
  const kind = kinds[wire.alarm] ?? null;
  const { replica } = member;
  switch (wire.action) {
    case 'GET': {
      // A member that cannot ask the others, or keep up with them, says what it knows.
      if (replica.status().disk === 'good') await member.readBarrier();
      const shown = alarmsNow(member).filter((alarm) => kind === null || alarm.kind === kind);
      return ok(response(member, shown));
    }
    case 'ACTIVATE':
      return activate(member, wire.memberID, kind);
    case 'DEACTIVATE': {
      const id = wire.memberID === 0n ? null : wholeNumber(wire.memberID);
      const reply = await member.propose<'clear'>({
        kind: 'clear',
        alarms: { member: id, kind, cause: null },
      });
      return reply.ok ? ok(response(member, reply.value.cleared)) : reply;
    }
    default:
      return fail(failures.noAlarm);
  }
}

/** Without a member it is set for all of them. */
async function activate(
  member: EtcdMember,
  id: bigint,
  kind: AlarmKind | null,
): Promise<Served<Input<AlarmResponse>>> {
  if (kind === null) return fail(failures.noAlarm);
  const members = membersOf(member.replica.status().configuration);
  const concerned = members.filter((each) => id === 0n || BigInt(each) === id);
  if (concerned.length === 0) return fail(failures.memberNotFound);
  const alarms = concerned.map((each): Alarm => ({ member: each, kind, cause: 'asked' }));
  for (const alarm of alarms) {
    const reply = await member.propose<'raise'>({ kind: 'raise', alarm });
    if (!reply.ok) return reply;
  }
  return ok(response(member, alarms));
}

/** The alarms of the store; of its own disk a member knows better than what was told of it. */
export function alarmsNow(member: EtcdMember): readonly Alarm[] {
  const disk: Alarm = { member: member.id, kind: 'no-space', cause: 'disk' };
  const told = member.store.alarms
    .all()
    .filter((alarm) => alarm.cause !== 'disk' || alarm.member !== member.id);
  return member.isDiskFull ? [...told, disk] : told;
}

/** Each alarm once, whatever its causes: etcd knows none. */
export function wireAlarms(alarms: readonly Alarm[]): Input<AlarmMember>[] {
  const named = new Map(
    alarms.map(({ member, kind }) => [
      `${member} ${kind}`,
      { memberID: BigInt(member), alarm: wireNames[kind] },
    ]),
  );
  return [...named.values()];
}

/** Alarms as etcd's Status tells them. */
export function alarmErrors(alarms: readonly Alarm[]): string[] {
  return wireAlarms(alarms).map(({ memberID, alarm }) => `memberID:${memberID} alarm:${alarm} `);
}

function response(member: EtcdMember, alarms: readonly Alarm[]): Input<AlarmResponse> {
  return { header: member.headerNow(), alarms: wireAlarms(alarms) };
}
