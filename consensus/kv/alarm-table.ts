import type { Alarm, AlarmKind, AlarmSelector } from './alarm.ts';
import type { StoreFailure } from './failure.ts';
import type { Command, Operation } from './request.ts';

/**
 * The alarms of all members. While one is there, every member refuses the same commands, so that
 * the store stays the same everywhere: growth for want of room, every write of data for corruption.
 * A full disk is the exception: it keeps one member from writing, and a majority goes on without.
 */
export class AlarmTable {
  #alarms: readonly Alarm[] = [];

  all(): readonly Alarm[] {
    return this.#alarms;
  }

  /** Adds an alarm, unless it is there. */
  raise(alarm: Alarm): void {
    if (!this.#alarms.some((each) => isSelected(alarm, each)))
      this.#alarms = [...this.#alarms, alarm];
  }

  /** Ends the alarms that are selected, and returns them. */
  clear(selector: AlarmSelector): readonly Alarm[] {
    const cleared = this.#alarms.filter((alarm) => isSelected(selector, alarm));
    this.#alarms = this.#alarms.filter((alarm) => !cleared.includes(alarm));
    return cleared;
  }

  /** Why a command is not taken while there are these alarms; null where it is. */
  refusal(command: Command): Extract<StoreFailure, 'no-space' | 'corrupt'> | null {
    if (this.#alarms.length === 0) return null;
    const has = (kind: AlarmKind) =>
      this.#alarms.some((alarm) => alarm.kind === kind && alarm.cause !== 'disk');
    if (has('corrupt') && changesData(command)) return 'corrupt';
    return has('no-space') && grows(command) ? 'no-space' : null;
  }
}

function isSelected(selector: AlarmSelector, alarm: Alarm): boolean {
  return (
    (selector.member === null || selector.member === alarm.member) &&
    (selector.kind === null || selector.kind === alarm.kind) &&
    (selector.cause === null || selector.cause === alarm.cause)
  );
}

/** Whether a command may make the store larger; a deletion adds a tombstone, which a compaction frees. */
export function grows(command: Command): boolean {
  switch (command.kind) {
    case 'put':
    case 'grant':
      return true;
    case 'txn':
      return command.success.some(puts) || command.failure.some(puts);
    default:
      return false;
  }
}

function puts(operation: Operation): boolean {
  if (operation.kind !== 'txn') return operation.kind === 'put';
  return operation.success.some(puts) || operation.failure.some(puts);
}

function changesData({ kind }: Command): boolean {
  return ['put', 'delete', 'txn', 'compact', 'grant', 'revoke', 'expire'].includes(kind);
}
