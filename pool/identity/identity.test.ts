import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { connect } from '../../proto/client.ts';
import { PoolService } from '../../proto/gen/flotilla.pool.v1.ts';
import { systemClock } from '../clock.ts';
import type { Failure } from '../failure.ts';
import { mount } from '../rpc/handler.ts';
import { serve } from '../rpc/server.ts';
import { issue } from './authority.ts';
import { readCredentials } from './credentials.ts';
import { openAuthority, writeIdentity } from './files.ts';

const timeout = milliseconds(20_000);

async function directory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'flotilla-identity-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

function value<Value>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

async function identityOf(path: string, name: string) {
  const authority = await openAuthority(path, 'test', systemClock.wall());
  const identity = await issue(
    authority,
    { name, hosts: ['host-1', '10.1.2.3'] },
    systemClock.wall(),
  );
  return writeIdentity(path, name, identity);
}

/** Serves the caller's own identity as the pool's name. */
async function served(t: ExecutionContext, path: string, host: string) {
  const own = value(await readCredentials(await identityOf(path, 'host-1/storage')));
  const whoami = mount(PoolService, {
    getPool: async (_request, call) => ok({ name: call.identity }),
  });
  const settings = { listen: `${host}:0`, credentials: own.server, services: [whoami] };
  const server = value(await serve(settings));
  t.teardown(() => server.close());
  return server.address;
}

for (const host of ['127.0.0.1', 'localhost'])
  test(`both sides prove who they are, and the server sees the caller's name (${host})`, async (t) => {
    const path = await directory(t);
    const address = await served(t, path, host);
    const { client } = value(await readCredentials(await identityOf(path, 'operator')));
    const connection = connect(address, client);
    const pool = await connection.client(PoolService).getPool({}, { timeout });
    connection.close();
    t.is(pool.ok ? pool.value.name : pool.error.details, 'operator');
  });

test('without a certificate, or with one of another pool, nobody is let in', async (t) => {
  const address = await served(t, await directory(t), '127.0.0.1');
  const other = value(await readCredentials(await identityOf(await directory(t), 'operator')));
  for (const client of [credentials.createSsl(), credentials.createInsecure(), other.client]) {
    const connection = connect(address, client);
    const pool = await connection.client(PoolService).getPool({}, { timeout });
    connection.close();
    t.false(pool.ok);
  }
});

test('an authority is made once, and what is written is for its owner only', async (t) => {
  const path = await directory(t);
  await chmod(path, 0o755);
  const first = await openAuthority(path, 'test', systemClock.wall());
  await identityOf(path, 'host-1/storage');
  t.deepEqual(await openAuthority(path, 'test', systemClock.wall()), first);
  const files = await readdir(path);
  t.deepEqual(files.sort(), [
    'ca-key.pem',
    'ca.pem',
    'host-1-storage-key.pem',
    'host-1-storage.pem',
  ]);
  for (const file of files) t.is((await stat(join(path, file))).mode & 0o777, 0o600);
});

test('files that are missing, are no PEM or do not fit each other are named', async (t) => {
  const path = await directory(t);
  const paths = await identityOf(path, 'host-1/storage');
  const missing = await readCredentials({ ...paths, ca: join(path, 'none.pem') });
  t.like(missing, { ok: false, error: { reason: 'INVALID_FIELD', field: 'tls.ca' } });
  await writeFile(join(path, 'text.pem'), 'hello');
  const text = await readCredentials({ ...paths, key: join(path, 'text.pem') });
  t.like(text, { ok: false, error: { field: 'tls.key' } });
  const other = await identityOf(path, 'operator');
  const mixed = await readCredentials({ ...paths, key: other.key });
  t.like(mixed, { ok: false, error: { field: 'tls.certificate' } });
  t.regex(await readFile(paths.key, 'utf8'), /^-----BEGIN PRIVATE KEY-----/);
});
