import test from 'ava';
import { CorePool } from '../../test/golden/raft/core-pool.ts';
import { membersOf } from '../core/configuration.ts';
import { memberId } from '../core/ids.ts';
import { Recipients } from './recipients.ts';

test('who was removed is reached for a while by the leader, where it was, and by nobody else', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  const leader = new Recipients();
  t.deepEqual(leader.update(pool.raft(1)), pool.raft(1).log.configuration);
  t.is(leader.update(pool.raft(1)), null, 'nothing has changed');
  const peers = ['host4:1'];
  pool.change(1, { kind: 'add', member: memberId(4), peers, staysLearner: true });
  pool.settle();
  leader.update(pool.raft(1));
  pool.change(1, { kind: 'remove', member: memberId(4) });
  pool.settle();
  const after = leader.update(pool.raft(1));
  t.deepEqual(after?.addresses, [{ member: memberId(4), peers }]);
  t.deepEqual(after?.learners, [memberId(4)]);
  const follower = new Recipients().update(pool.raft(2));
  t.deepEqual(follower === null ? null : membersOf(follower), [1, 2, 3].map(memberId));
  pool.tick(1, 200);
  t.deepEqual(leader.update(pool.raft(1))?.learners, []);
});

test('a configuration that gave way is in force no longer', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  const recipients = new Recipients();
  const before = recipients.update(pool.raft(1));
  pool.change(1, {
    kind: 'add',
    member: memberId(4),
    peers: ['host4:1'],
    staysLearner: true,
  });
  pool.drop();
  t.deepEqual(recipients.update(pool.raft(1))?.learners, [memberId(4)]);
  pool.elect(2);
  t.is(recipients.update(pool.raft(1)), before);
});
