import test from 'ava';
import { configurationOf } from './configuration.ts';
import type { Entry } from './entry.ts';
import { logIndex, memberId, term } from './ids.ts';
import { Log } from './log.ts';

/** Of what is received at once. */
const receivedBytes = 20_000;

const start = { index: logIndex(0), term: term(0) };

function emptyLog(): Log {
  return new Log(start, [], { ...start, configuration: configurationOf([memberId(1)]) });
}

/** An entry whose command is a view of much more memory, as what is received is. */
function entry(index: number, size: number): Entry {
  const received = Buffer.alloc(receivedBytes, index % 251);
  const proposal = {
    id: { member: memberId(1), number: index },
    command: received.subarray(100, 100 + size),
  };
  return { index: logIndex(index), term: term(1), payload: { kind: 'command', proposal } };
}

function all(log: Log): readonly Entry[] {
  return log.read(logIndex(log.base.index + 1), Number.POSITIVE_INFINITY, 1_000_000);
}

function commandOf({ payload }: Entry): Uint8Array {
  return payload.kind === 'command' ? payload.proposal.command : new Uint8Array();
}

/** The memory that the commands keep from being freed. */
function keptBytes(log: Log): number {
  const memory = new Set(all(log).map((each) => commandOf(each).buffer));
  return [...memory].reduce((sum, each) => sum + each.byteLength, 0);
}

test('a log keeps its commands, and not what they were received with', (t) => {
  const log = emptyLog();
  for (let index = 1; index <= 4000; index += 1) log.append([entry(index, 300)]);
  const loose = all(log).filter((each) => commandOf(each).buffer.byteLength === receivedBytes);
  t.true(loose.length * 300 <= 512 * 2 ** 10);
  t.true(keptBytes(log) - loose.length * receivedBytes <= 4000 * 300);
  const isAsItWas = (each: Entry, at: number) =>
    each.index === at + 1 &&
    commandOf(each).byteLength === 300 &&
    commandOf(each).every((byte) => byte === each.index % 251);
  t.true(all(log).every(isAsItWas));
});

test('what a log loses at either end does not upset how it keeps the rest', (t) => {
  const log = emptyLog();
  const put = (from: number, to: number, at: number) => {
    const entries: Entry[] = [];
    for (let index = from; index <= to; index += 1)
      entries.push({ ...entry(index, 1000), term: term(at) });
    log.merge(entries);
  };
  put(1, 3000, 1);
  log.takeUnwritten();
  log.compact(logIndex(2900));
  put(2950, 3500, 2);
  log.takeUnwritten();
  log.compact(logIndex(3100));
  put(3101, 6000, 3);
  t.is(log.lastIndex, logIndex(6000));
  t.true(all(log).every(({ index }, at) => index === 3101 + at));
  t.true(all(log).every((each) => commandOf(each)[0] === each.index % 251));
});

test('a large command stays where it is', (t) => {
  const log = emptyLog();
  const large = entry(1, 17_000);
  log.append([large]);
  for (let index = 2; index <= 4000; index += 1) log.append([entry(index, 300)]);
  t.is(commandOf(all(log)[0] ?? entry(1, 0)), commandOf(large));
});
