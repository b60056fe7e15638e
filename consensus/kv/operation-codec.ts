import { unreachable } from '../../base/assert.ts';
import { storeBounds } from './bounds.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { KeyRange } from './key-range.ts';
import type { Compare, CompareOperator, Operation, RangeRequest, SortTarget } from './request.ts';
import { type LeaseId, noLease, type Revision } from './version.ts';

/** The first byte of an operation; a number is never given to something else. */
const kinds = { put: 1, delete: 2, txn: 3, range: 4 } as const;

const putFlags = { withPrevious: 1, ignoreValue: 2, ignoreLease: 4, hasLease: 8 } as const;
const rangeFlags = { descending: 1, keysOnly: 2, countOnly: 4 } as const;
const rangeKinds = { key: 0, span: 1, open: 2 } as const;

/** Positions in these lists are part of the layout: append only. */
const sortTargets: readonly SortTarget[] = ['key', 'version', 'create', 'mod', 'value'];
const operators: readonly CompareOperator[] = ['equal', 'greater', 'less', 'not-equal'];
const compareTargets = ['version', 'create', 'mod', 'lease', 'value'] as const;

/** Writes an operation, its kind first. */
export function writeOperation(writer: ByteWriter, operation: Operation): void {
  writer.u8(kinds[operation.kind]);
  switch (operation.kind) {
    case 'put': {
      const hasLease = operation.lease !== noLease;
      writer.u8(
        (operation.withPrevious ? putFlags.withPrevious : 0) |
          (operation.ignoreValue ? putFlags.ignoreValue : 0) |
          (operation.ignoreLease ? putFlags.ignoreLease : 0) |
          (hasLease ? putFlags.hasLease : 0),
      );
      if (hasLease) writer.i64(operation.lease);
      writer.bytes(operation.key);
      writer.bytes(operation.value);
      return;
    }
    case 'delete':
      writer.u8(operation.withPrevious ? 1 : 0);
      writeRange(writer, operation.range);
      return;
    case 'txn':
      writer.varint(operation.compares.length);
      for (const compare of operation.compares) writeCompare(writer, compare);
      for (const branch of [operation.success, operation.failure]) {
        writer.varint(branch.length);
        for (const each of branch) writeOperation(writer, each);
      }
      return;
    case 'range':
      writeRangeRequest(writer, operation);
      return;
    default:
      unreachable(operation);
  }
}

/** Reads the operation of a kind; null where no operation is of that kind, or it is nested too deep. */
export function readOperation(reader: ByteReader, kind: number, depth = 0): Operation | null {
  switch (kind) {
    case kinds.put: {
      const flags = reader.u8();
      const lease = (flags & putFlags.hasLease) === 0 ? noLease : (reader.i64() as LeaseId);
      return {
        kind: 'put',
        key: reader.bytes(),
        value: reader.bytes(),
        lease,
        withPrevious: (flags & putFlags.withPrevious) !== 0,
        ignoreValue: (flags & putFlags.ignoreValue) !== 0,
        ignoreLease: (flags & putFlags.ignoreLease) !== 0,
      };
    }
    case kinds.delete:
      return { kind: 'delete', withPrevious: reader.u8() !== 0, range: readRange(reader) };
    case kinds.txn: {
      if (depth > storeBounds.txnOperations) return null;
      return {
        kind: 'txn',
        compares: readList(reader, () => readCompare(reader)),
        success: readBranch(reader, depth),
        failure: readBranch(reader, depth),
      };
    }
    case kinds.range:
      return readRangeRequest(reader);
    default:
      return null;
  }
}

/** Reads a count, and as many things; fewer where the reader fails. */
export function readList<Item>(reader: ByteReader, read: () => Item): Item[] {
  const items: Item[] = [];
  for (let left = reader.count(); left > 0 && !reader.failed; left -= 1) items.push(read());
  return items;
}

function readBranch(reader: ByteReader, depth: number): Operation[] {
  const read = readList(reader, () => readOperation(reader, reader.u8(), depth + 1));
  const operations = read.filter((each) => each !== null);
  if (operations.length < read.length) reader.fail();
  return operations;
}

/** Writes a key or a span. */
export function writeRange(writer: ByteWriter, range: KeyRange): void {
  if (range.kind === 'key') {
    writer.u8(rangeKinds.key);
    writer.bytes(range.key);
    return;
  }
  writer.u8(range.to === null ? rangeKinds.open : rangeKinds.span);
  writer.bytes(range.from);
  if (range.to !== null) writer.bytes(range.to);
}

/** Reads a key or a span. */
export function readRange(reader: ByteReader): KeyRange {
  const kind = reader.u8();
  const from = reader.bytes();
  if (kind === rangeKinds.key) return { kind: 'key', key: from };
  return { kind: 'span', from, to: kind === rangeKinds.open ? null : reader.bytes() };
}

function writeRangeRequest(writer: ByteWriter, request: RangeRequest): void {
  writer.u8(
    (request.descending ? rangeFlags.descending : 0) |
      (request.keysOnly ? rangeFlags.keysOnly : 0) |
      (request.countOnly ? rangeFlags.countOnly : 0),
  );
  writer.u8(sortTargets.indexOf(request.sortTarget));
  writeRange(writer, request.range);
  writer.varint(request.limit);
  writer.varint(request.revision);
  writer.varint(request.minModRevision);
  writer.varint(request.maxModRevision);
  writer.varint(request.minCreateRevision);
  writer.varint(request.maxCreateRevision);
}

function readRangeRequest(reader: ByteReader): RangeRequest {
  const flags = reader.u8();
  const sortTarget = oneOf(reader, sortTargets);
  return {
    kind: 'range',
    descending: (flags & rangeFlags.descending) !== 0,
    keysOnly: (flags & rangeFlags.keysOnly) !== 0,
    countOnly: (flags & rangeFlags.countOnly) !== 0,
    sortTarget,
    range: readRange(reader),
    limit: reader.varint(),
    revision: reader.varint() as Revision,
    minModRevision: reader.varint() as Revision,
    maxModRevision: reader.varint() as Revision,
    minCreateRevision: reader.varint() as Revision,
    maxCreateRevision: reader.varint() as Revision,
  };
}

function writeCompare(writer: ByteWriter, { range, operator, operand }: Compare): void {
  writer.u8(operators.indexOf(operator));
  writer.u8(compareTargets.indexOf(operand.target));
  writeRange(writer, range);
  if (operand.target === 'value') writer.bytes(operand.value);
  else if (operand.target === 'lease') writer.i64(operand.lease);
  else writer.i64(BigInt(operand.number));
}

function readCompare(reader: ByteReader): Compare {
  const operator = oneOf(reader, operators);
  const target = oneOf(reader, compareTargets);
  const range = readRange(reader);
  if (target === 'value') return { operator, range, operand: { target, value: reader.bytes() } };
  if (target === 'lease')
    return { operator, range, operand: { target, lease: reader.i64() as LeaseId } };
  return { operator, range, operand: { target, number: Number(reader.i64()) } };
}

/** The item of a list at a position that is read. */
function oneOf<Item>(reader: ByteReader, items: readonly Item[]): Item {
  const item = items[reader.u8()];
  if (item === undefined) reader.fail();
  return item ?? (items[0] as Item);
}
