import { join } from 'node:path';
import type { ServiceError } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { readCredentials } from '../../pool/identity/credentials.ts';
import { type Connection, connect } from '../../proto/client.ts';
import { NetworkService, VifService } from '../../proto/gen/flotilla.network.v1.ts';
import { ImageService, PoolService, SupervisorService } from '../../proto/gen/flotilla.pool.v1.ts';
import { AttachmentService, StorageService } from '../../proto/gen/flotilla.storage.v1.ts';
import { VmService } from '../../proto/gen/flotilla.vm.v1.ts';
import { XenstoreService } from '../../proto/gen/flotilla.xenstore.v1.ts';
import { PoolProcess } from './pool-process.ts';

const settings = { timeout: milliseconds(60_000) };

type Services = 'vm-lifecycle' | 'storage' | 'network' | 'xenstore';

/** The services of a host, as somebody calls them. */
type Host = Readonly<Record<Services, Connection>>;

/** The services of host-1, called with the files that the pool issued for an identity. */
async function called(t: ExecutionContext, pool: PoolProcess, files: string): Promise<Host> {
  const credentials = await readCredentials({
    ca: join(files, '..', 'ca.pem'),
    certificate: `${files}.pem`,
    key: `${files}-key.pem`,
  });
  if (!credentials.ok) throw new Error(credentials.error.message);
  const { client } = credentials.value;
  const host = await pool.json<{ readonly endpoints: Readonly<Record<Services, string>> }>(
    ...['host', 'show', 'host-1'],
  );
  const at = (service: Services) => {
    const connection = connect(host.endpoints[service], client);
    t.teardown(() => connection.close());
    return connection;
  };
  return {
    'vm-lifecycle': at('vm-lifecycle'),
    ...{ storage: at('storage'), network: at('network'), xenstore: at('xenstore') },
  };
}

type Attempt = (host: Host) => Promise<Result<unknown, ServiceError>>;

/** What somebody would want who had one service: the VMs, their disks, their consoles, their xenstore. */
const attempts: Readonly<Record<string, Attempt>> = {
  'vm.v1.VmService/ListVms': (host) => host['vm-lifecycle'].client(VmService).listVms({}, settings),
  'vm.v1.VmService/GetVm': (host) =>
    host['vm-lifecycle'].client(VmService).getVm({ vm: 'web' }, settings),
  'pool.v1.PoolService/ListOperations': (host) =>
    host['vm-lifecycle'].client(PoolService).listOperations({}, settings),
  'pool.v1.ImageService/ListImageKeys': (host) =>
    host['vm-lifecycle'].client(ImageService).listImageKeys({}, settings),
  'pool.v1.SupervisorService/ListServices': (host) =>
    host['vm-lifecycle'].client(SupervisorService).listServices({ host: 'host-1' }, settings),
  'storage.v1.StorageService/ListVdis': (host) =>
    host.storage.client(StorageService).listVdis({}, settings),
  'storage.v1.AttachmentService/ListAttachments': (host) =>
    host.storage.client(AttachmentService).listAttachments({}, settings),
  'network.v1.NetworkService/ListNetworks': (host) =>
    host.network.client(NetworkService).listNetworks({}, settings),
  'network.v1.VifService/ListVifs': (host) =>
    host.network.client(VifService).listVifs({}, settings),
  'xenstore.v1.XenstoreService/Read': (host) =>
    host.xenstore.client(XenstoreService).read({ path: '/e2e' }, settings),
  'xenstore.v1.XenstoreService/Control': (host) =>
    host.xenstore.client(XenstoreService).control({ words: ['check'] }, settings),
  'vm.v1.VmService/OpenConsole': async (host) => {
    const stream = host['vm-lifecycle'].client(VmService).openConsole(settings);
    stream.write({ vm: 'web' });
    try {
      for await (const output of stream) return ok(output);
      return ok(null);
    } catch (error) {
      return { ok: false, error: error as ServiceError };
    } finally {
      stream.cancel();
    }
  },
};

/** Which of the attempts an identity succeeds with; the others end as refusals that name both. */
async function allowed(t: ExecutionContext, pool: PoolProcess, identity: string, files: string) {
  const host = await called(t, pool, files);
  const successes: string[] = [];
  for (const [method, attempt] of Object.entries(attempts)) {
    const answer = await attempt(host);
    if (answer.ok) successes.push(method);
    else
      t.is(
        answer.error.message,
        `7 PERMISSION_DENIED: ${identity} may not call flotilla.${method} of host-1`,
      );
  }
  return successes;
}

test('a service that was taken over gets nothing from the others that it may not read itself', async (t) => {
  t.timeout(600_000);
  const pool = new PoolProcess();
  t.teardown(() => pool.dispose());
  await pool.start('--hosts', '1', '--hypervisor', 'simulated');
  for (const command of [
    ['vm', 'create', '--name', 'web', '--memory', '64MiB', '--vcpus', '1', '--disk', '1MiB'],
    ['vm', 'start', 'web'],
    ['xenstore', 'write', '--host', 'host-1', '/e2e', 'of host-1'],
  ]) {
    const ran = await pool.run(...command);
    t.is(ran.code, 0, ran.stderr);
  }
  for (const service of ['network', 'storage', 'xenstore', 'consensus']) {
    const files = join(pool.directory, 'host-1', 'identity', service);
    t.deepEqual(await allowed(t, pool, `host-1/${service}`, files), [], service);
  }
  const own = join(pool.directory, 'host-1', 'identity', 'vm-lifecycle');
  t.deepEqual(await allowed(t, pool, 'host-1/vm-lifecycle', own), [
    'pool.v1.SupervisorService/ListServices',
    'storage.v1.AttachmentService/ListAttachments',
    'network.v1.VifService/ListVifs',
    'vm.v1.VmService/OpenConsole',
  ]);
  const operator = join(pool.directory, 'identity', 'operator');
  t.deepEqual(await allowed(t, pool, 'operator', operator), Object.keys(attempts));
});
