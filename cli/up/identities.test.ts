import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { HostId } from '../../pool/records/identifiers.ts';
import { issueIdentities } from './identities.ts';
import type { PoolChoice } from './pool-choice.ts';

const ports = { 'vm-lifecycle': 1, storage: 2, network: 3, xenstore: 4, consensus: 5, peer: 6 };
const choice: PoolChoice = {
  id: '00000000-0000-4000-8000-0000000000aa',
  name: 'pool',
  hypervisor: 'xen',
  hosts: [
    {
      id: '00000000-0000-4000-8000-000000000001' as HostId,
      ...{ name: 'host-1', address: '10.0.0.1', ports },
    },
  ],
  guests: { images: '/images', guests: [{ service: 'network', address: '10.0.0.22/24' }] },
};

test('a service in a guest cannot show its certificate in the place of one in the control domain', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-identities-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  await issueIdentities(directory, choice);
  const certificateOf = async (service: string) =>
    new X509Certificate(await readFile(join(directory, 'host-1', 'identity', `${service}.pem`)));
  const network = await certificateOf('network');
  t.is(network.checkIP('10.0.0.22'), '10.0.0.22');
  t.is(network.checkIP('10.0.0.1'), undefined);
  t.is(network.checkHost('host-1', { subject: 'never' }), undefined);
  const lifecycle = await certificateOf('vm-lifecycle');
  t.is(lifecycle.checkIP('10.0.0.1'), '10.0.0.1');
  t.is(lifecycle.checkHost('host-1'), 'host-1');
});
