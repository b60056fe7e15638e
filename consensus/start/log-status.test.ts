import test from 'ava';
import { pino } from 'pino';
import { configurationOf } from '../core/configuration.ts';
import { logIndex, memberId, term } from '../core/ids.ts';
import type { ReplicaStatus } from '../replica.ts';
import { logStatus } from './log-status.ts';

test('each change is told once, and the disk by what it means', (t) => {
  const lines: string[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line) => lines.push(line) });
  let tell = (_status: ReplicaStatus) => {};
  let status: ReplicaStatus = {
    member: memberId(1),
    leader: null,
    role: 'follower',
    term: term(1),
    commitIndex: logIndex(0),
    appliedIndex: logIndex(0),
    configuration: configurationOf([memberId(1)]),
    configurationIndex: logIndex(0),
    committedConfiguration: configurationOf([memberId(1)]),
    disk: 'good',
    removed: false,
  };
  const replica = {
    status: () => status,
    onStatus: (listener: (status: ReplicaStatus) => void) => {
      tell = listener;
      return () => {};
    },
  };
  logStatus(replica, log);
  const change = (changes: Partial<ReplicaStatus>): string[] => {
    status = { ...status, ...changes };
    tell(status);
    return lines.splice(0).map((line) => {
      const { msg, level } = JSON.parse(line);
      return `${level} ${msg}`;
    });
  };
  t.deepEqual(change({ role: 'leader', leader: memberId(1) }), ['30 role']);
  t.deepEqual(change({}), []);
  t.deepEqual(change({ disk: 'full' }), [
    '50 the disk is full: this member only reads until there is room again',
  ]);
  t.deepEqual(change({ disk: 'good' }), ['30 the disk takes writes again']);
  t.deepEqual(change({ configuration: configurationOf([1, 2].map(memberId)) }), ['30 members']);
});
