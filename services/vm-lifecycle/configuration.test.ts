import test from 'ava';
import * as v from 'valibot';
import { VmLifecycleSchema } from './configuration.ts';

const complete = {
  hostId: '00000000-0000-4000-8000-000000000001',
  hostName: 'host-1',
  listen: '127.0.0.1:0',
  store: ['127.0.0.1:2379'],
  dataDir: '/var/lib/flotilla',
  hypervisor: { kind: 'simulated', socket: '/run/hypervisor.sock' },
  services: { storage: '127.0.0.1:1', network: '127.0.0.1:2' },
};

function wrongFields(configuration: unknown): readonly (string | null)[] {
  const parsed = v.safeParse(VmLifecycleSchema, configuration);
  return parsed.success ? [] : parsed.issues.map((issue) => v.getDotPath(issue));
}

test('a configuration with what is needed is accepted, and boots nothing by default', (t) => {
  t.deepEqual(wrongFields(complete), []);
  t.deepEqual(wrongFields({ ...complete, hypervisor: { kind: 'xen' } }), []);
  const defaultBoot = { kernel: '/boot/vmlinuz' };
  t.like(v.parse(VmLifecycleSchema, { ...complete, defaultBoot }), {
    defaultBoot: { kernel: '/boot/vmlinuz', ramdisk: '', commandLine: '' },
    poolName: 'pool',
    supervisors: [],
  });
  t.deepEqual(wrongFields({ ...complete, supervisors: ['/run/a.sock', '/run/b.sock'] }), []);
});

test('what is wrong in a configuration is named by its path', (t) => {
  t.deepEqual(wrongFields({ ...complete, hypervisor: { kind: 'simulated' } }), [
    'hypervisor.socket',
  ]);
  t.deepEqual(wrongFields({ ...complete, hypervisor: { kind: 'kvm' } }), ['hypervisor.kind']);
  t.deepEqual(wrongFields({ ...complete, services: { storage: '127.0.0.1:1' } }), [
    'services.network',
  ]);
  t.deepEqual(wrongFields({ ...complete, services: { ...complete.services, storage: 'here' } }), [
    'services.storage',
  ]);
  t.deepEqual(wrongFields({ ...complete, memory: 1 }), ['memory']);
  t.deepEqual(wrongFields({ ...complete, supervisors: ['here.sock'] }), ['supervisors.0']);
});
