import type { ByteString } from './byte-string.ts';
import { emptyBytes } from './byte-string.ts';
import type { History } from './history.ts';
import type { Compare, CompareOperator } from './request.ts';
import { noLease, type Version } from './version.ts';

type Stored = Pick<Version, 'version' | 'createRevision' | 'modRevision' | 'lease' | 'value'>;

const missing = {
  version: 0,
  createRevision: 0,
  modRevision: 0,
  lease: noLease,
  value: emptyBytes,
} as Stored;

/**
 * Whether a compare holds now. A key that does not exist has zero for every number; its value
 * equals none, and differs from none: no compare of a missing value holds, as in etcd.
 */
export function holds(history: History, compare: Compare): boolean {
  let found = false;
  let all = true;
  history.scan(compare.range, history.revision, (version) => {
    found = true;
    all = holdsFor(version, compare);
    return all;
  });
  if (found) return all;
  return compare.operand.target !== 'value' && holdsFor(missing, compare);
}

function holdsFor(stored: Stored, { operand, operator }: Compare): boolean {
  switch (operand.target) {
    case 'version':
      return relates(operator, stored.version, operand.number);
    case 'create':
      return relates(operator, stored.createRevision, operand.number);
    case 'mod':
      return relates(operator, stored.modRevision, operand.number);
    case 'lease':
      return relates(operator, stored.lease, operand.lease);
    case 'value':
      return relates(operator, stored.value, operand.value);
  }
}

function relates<Operand extends number | bigint | ByteString>(
  operator: CompareOperator,
  stored: Operand,
  given: Operand,
): boolean {
  switch (operator) {
    case 'equal':
      return stored === given;
    case 'not-equal':
      return stored !== given;
    case 'greater':
      return stored > given;
    case 'less':
      return stored < given;
  }
}
