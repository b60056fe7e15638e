import test from 'ava';
import * as v from 'valibot';
import { checkConfiguration } from '../../deploy/guest-image/configuration.ts';
import type { HostId } from '../../pool/records/identifiers.ts';
import { ServiceGuestsSchema } from '../../services/vm-lifecycle/service-guests/configuration.ts';
import { endpoints } from './addresses.ts';
import type { HostPlan } from './host-plan.ts';
import { hostPlan } from './layout.ts';
import type { PoolChoice } from './pool-choice.ts';

const ports = { 'vm-lifecycle': 1, storage: 2, network: 3, xenstore: 4, consensus: 5, peer: 6 };
const host = {
  id: '00000000-0000-4000-8000-000000000001' as HostId,
  name: 'host-1',
  address: '127.0.0.1',
  ports,
};
const pool: PoolChoice = {
  id: '00000000-0000-4000-8000-0000000000aa',
  name: 'pool',
  hypervisor: 'simulated',
  hosts: [host],
};

function configurationOf(plan: HostPlan, name: string): Readonly<Record<string, unknown>> {
  return plan.processes.find((process) => process.name === name)?.configuration ?? {};
}

test('each host runs a member of the database, and its services are told where all members are', (t) => {
  const plan = hostPlan(pool, 'host-1', '/pool/host-1');
  t.like(configurationOf(plan, 'consensus'), {
    initialCluster: { 'host-1': '127.0.0.1:6' },
    initialClusterState: 'new',
  });
  const storage = configurationOf(plan, 'storage');
  t.deepEqual(storage.store, ['127.0.0.1:5']);
  t.false('storeTls' in storage);
  t.is(endpoints(pool, host).consensus, '127.0.0.1:5');
});

test("a host's vm-lifecycle is told where those are who keep its services running", (t) => {
  const plan = hostPlan(pool, 'host-1', '/pool/host-1');
  const { supervisors } = configurationOf(plan, 'vm-lifecycle');
  t.deepEqual(supervisors, ['/pool/host-1/supervisor.sock']);
});

test('once the database has begun, a member without data joins it and does not begin another', (t) => {
  const began = { ...pool, databaseBegan: true };
  const plan = hostPlan(began, 'host-1', '/pool/host-1');
  t.is(configurationOf(plan, 'consensus').initialClusterState, 'existing');
});

test('a pool on a cluster of etcd runs no member of its own', (t) => {
  const store = { endpoints: ['10.0.0.1:2379'], tls: { ca: '/etc/ca.pem' } };
  const plan = hostPlan({ ...pool, store }, 'host-1', '/pool/host-1');
  t.false(plan.processes.some((process) => process.name === 'consensus'));
  for (const name of ['storage', 'network', 'vm-lifecycle'])
    t.like(configurationOf(plan, name), { store: ['10.0.0.1:2379'], storeTls: store.tls }, name);
  t.false('consensus' in endpoints({ ...pool, store }, host));
});

test('on Xen, the xenstore of a pool goes on with what the host has had since its boot', (t) => {
  const twice = { ...host, name: 'host-2' };
  const xen: PoolChoice = { ...pool, hypervisor: 'xen', hosts: [host, twice] };
  const boot = { dataDir: '/run/flotilla/xenstored', takeOver: true };
  t.like(configurationOf(hostPlan(xen, 'host-1', '/pool/host-1'), 'xenstore'), boot);
  const own = { dataDir: '/pool/host-2/xenstore', takeOver: undefined };
  t.like(configurationOf(hostPlan(xen, 'host-2', '/pool/host-2'), 'xenstore'), own);
  const simulated = { dataDir: '/pool/host-1/xenstore', takeOver: undefined };
  t.like(configurationOf(hostPlan(pool, 'host-1', '/pool/host-1'), 'xenstore'), simulated);
});

test('the member of a pool can be a guest: it has a seed and no process, and all find it there', (t) => {
  const guests = {
    images: '/images',
    guests: [{ service: 'consensus', address: '10.0.0.21/24' }],
  } as const;
  const xen: PoolChoice = { ...pool, hypervisor: 'xen', hosts: [host], guests };
  const plan = hostPlan(xen, 'host-1', '/pool/host-1');
  t.false(plan.processes.some(({ name }) => name === 'consensus'));
  for (const name of ['storage', 'network', 'vm-lifecycle'] as const)
    t.like(configurationOf(plan, name), { store: ['10.0.0.21:2379'] }, name);
  t.is(endpoints(xen, host).consensus, '10.0.0.21:2379');
  const [seed] = plan.seeds ?? [];
  t.like(seed?.configuration, {
    listenClient: '10.0.0.21:2379',
    initialCluster: { 'host-1': '10.0.0.21:2380' },
    dataDir: '/data/consensus',
    tls: { key: '/seed/key.pem' },
  });
  t.is(seed?.files['key.pem'], '/pool/host-1/identity/consensus-key.pem');
  const [guest] = configurationOf(plan, 'service-guests').guests as object[];
  t.like(guest, { image: '/images/consensus', seed: seed?.directory, address: '10.0.0.21/24' });
  t.like(configurationOf(plan, 'vm-lifecycle'), {
    serviceGuestsDir: configurationOf(plan, 'service-guests').dataDir,
  });
  t.true(v.is(ServiceGuestsSchema, configurationOf(plan, 'service-guests')));
});

test('the services of disks and interfaces can be guests: driver domains with ports of their images', (t) => {
  const addresses = { storage: '10.0.0.23/24', consensus: '10.0.0.21/24', network: '10.0.0.22/24' };
  const named = (['storage', 'consensus', 'network'] as const).map((service) => ({
    ...{ service, address: addresses[service] },
  }));
  const xen: PoolChoice = {
    ...pool,
    hypervisor: 'xen',
    hosts: [host],
    guests: { images: '/images', type: 'pv', guests: named },
  };
  const plan = hostPlan(xen, 'host-1', '/pool/host-1');
  const names = plan.processes.map(({ name }) => name);
  t.deepEqual(names, ['service-guests', 'xenstore', 'vm-lifecycle']);
  const told = v.parse(ServiceGuestsSchema, configurationOf(plan, 'service-guests'));
  t.deepEqual(
    told.guests.map(({ service, driverDomain }) => [service, driverDomain]),
    [
      ['consensus', false],
      ['network', true],
      ['storage', true],
    ],
    'in the order in which they are started',
  );
  t.like(told.guests[1], { type: 'pv', data: null, bridge: 'xenbr0', address: '10.0.0.22/24' });
  t.like(told.guests[2], { data: { path: '/pool/host-1/storage.img' }, bridge: undefined });
  t.like(configurationOf(plan, 'vm-lifecycle').services, {
    network: '10.0.0.22:7423',
    storage: '10.0.0.23:7422',
    'vm-lifecycle': '127.0.0.1:1',
  });
  for (const [index, service] of (['consensus', 'network', 'storage'] as const).entries()) {
    const text = JSON.stringify(plan.seeds?.[index]?.configuration);
    const checked = checkConfiguration(service, text);
    t.true(checked.ok, checked.ok ? '' : checked.error);
  }
  const [, , storage] = plan.seeds ?? [];
  t.like(storage?.configuration, { srs: [{ path: '/data/sr' }], attach: 'loop' });
  t.is(storage?.files['key.pem'], '/pool/host-1/identity/storage-key.pem');
});
