import test from 'ava';
import { cutOff, type DeviceVm, type ServedDevices } from './cut-off.ts';
import type { ObservedDomain } from './reconciliation.ts';

const self = 'host-1';
const nothing: ServedDevices = { disks: new Set(), nics: new Set() };
const domain: ObservedDomain = { id: 7, uuid: 'vm-1', name: 'web', state: { kind: 'running' } };

function vm(change: Partial<DeviceVm> = {}): DeviceVm {
  return {
    ...{ id: 'vm-1', name: 'web', desired: 'running', host: self, epoch: 2, operation: null },
    ...{ reported: 'running', domid: 7, disks: ['a', 'b'], nics: 2, ...change },
  };
}

function cut(vms: readonly DeviceVm[], domains: readonly ObservedDomain[], served = nothing) {
  return cutOff(self, vms, domains, served);
}

test('a running VM is cut off from those of its devices that nobody serves', (t) => {
  const served = { disks: new Set(['b', 'c']), nics: new Set(['vm-1/0', 'vm-2/1']) };
  t.deepEqual(cut([vm()], [domain], served), [{ vm: 'vm-1', disks: ['a'], nics: [1] }]);
  t.deepEqual(cut([vm()], [domain]), [{ vm: 'vm-1', disks: ['a', 'b'], nics: [0, 1] }]);
});

test('a VM that has all its devices, or none, is not cut off', (t) => {
  const served = { disks: new Set(['a', 'b']), nics: new Set(['vm-1/0', 'vm-1/1']) };
  t.deepEqual(cut([vm()], [domain], served), []);
  t.deepEqual(cut([vm({ disks: [], nics: 0 })], [domain]), []);
});

test('a paused VM is reconnected as well: it is to find its devices when it goes on', (t) => {
  const paused = { ...domain, state: { kind: 'paused' } } as const;
  t.is(cut([vm({ reported: 'paused' })], [paused]).length, 1);
});

test('a VM that is not at rest on this host is left to what moves it', (t) => {
  for (const change of [
    { host: 'host-2' },
    { operation: 'operation-1' },
    { desired: 'halted' },
    { reported: 'halted' },
    { reported: null },
    { domid: 8 },
  ] as const)
    t.deepEqual(cut([vm(change)], [domain]), [], JSON.stringify(change));
  t.deepEqual(cut([vm()], []), []);
  for (const state of [{ kind: 'dying' }, { kind: 'shutdown', reason: 'crash' }] as const)
    t.deepEqual(cut([vm()], [{ ...domain, state }]), [], state.kind);
});
