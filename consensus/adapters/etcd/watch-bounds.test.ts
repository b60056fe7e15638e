import test from 'ava';
import { PoolDatabaseClient, utf8 } from '../../../test/contract/pool-database-client.ts';
import { startMemberInMemory } from '../../../test/contract/pool-database-member.ts';
import { textBytes } from '../../kv/byte-string.ts';
import { keyRange } from '../../kv/key-range.ts';
import type { Revision } from '../../kv/version.ts';
import { watchBounds } from './watch-bounds.ts';

const tooMany = 'etcdserver: too many watches on this stream or member';

test('a stream takes so many watches, and others are served yet', async (t) => {
  t.timeout(60_000);
  const member = await startMemberInMemory();
  const db = new PoolDatabaseClient(member.address);
  const watch = db.watch();
  for (let count = 0; count < watchBounds.perStream; count += 1)
    watch.send({ createRequest: { key: utf8('a') } });
  for (let count = 0; count < watchBounds.perStream; count += 1)
    if ((await watch.next()).canceled) t.fail(`the stream took ${count} watches alone`);
  const refused = await watch.create({ key: utf8('a') });
  t.true(refused.created && refused.canceled);
  t.is(refused.cancelReason, tooMany);
  t.false((await db.watch().create({ key: utf8('a') })).canceled);
  db.close();
  await member.close();
});

test('a member takes so many watches', async (t) => {
  const member = await startMemberInMemory();
  const { watches } = member.store;
  const range = keyRange(textBytes('a'), textBytes(''));
  const start = 1 as Revision;
  const opened = Array.from({ length: watchBounds.perMember }, () =>
    watches.open({ range, start, puts: true, deletes: true, wake: () => {} }),
  );
  const db = new PoolDatabaseClient(member.address);
  const watch = db.watch();
  t.is((await watch.create({ key: utf8('a') })).cancelReason, tooMany);
  for (const watcher of opened.slice(0, 1)) watches.close(watcher);
  t.false((await watch.create({ key: utf8('a') })).canceled);
  db.close();
  await member.close();
});
