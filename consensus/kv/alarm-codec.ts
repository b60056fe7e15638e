import type { Alarm, AlarmCause, AlarmKind, AlarmSelector } from './alarm.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/** Positions in these lists are part of the layout, where 0 stands for any: append only. */
const alarmKinds: readonly AlarmKind[] = ['no-space', 'corrupt'];
const alarmCauses: readonly AlarmCause[] = ['quota', 'disk', 'asked'];

/** Writes which alarms; a single one is written so too. */
export function writeAlarms(writer: ByteWriter, { member, kind, cause }: AlarmSelector): void {
  writer.varint(member ?? 0);
  writer.u8(kind === null ? 0 : alarmKinds.indexOf(kind) + 1);
  writer.u8(cause === null ? 0 : alarmCauses.indexOf(cause) + 1);
}

/** Reads which alarms. */
export function readAlarms(reader: ByteReader): AlarmSelector {
  const member = reader.varint();
  const [kind, cause] = [reader.u8(), reader.u8()];
  if (kind > alarmKinds.length || cause > alarmCauses.length) reader.fail();
  return {
    member: member === 0 ? null : member,
    kind: alarmKinds[kind - 1] ?? null,
    cause: alarmCauses[cause - 1] ?? null,
  };
}

/** Reads a single alarm; null where the bytes stand for more than one. */
export function readAlarm(reader: ByteReader): Alarm | null {
  const { member, kind, cause } = readAlarms(reader);
  return member === null || kind === null || cause === null ? null : { member, kind, cause };
}
