import test from 'ava';
import { atRest, cutOff, type DiskedVm } from './cut-off.ts';
import type { ObservedDomain } from './reconciliation.ts';

const self = 'host-1';
const domain: ObservedDomain = { id: 7, uuid: 'vm-1', name: 'web', state: { kind: 'running' } };
const disks = [
  { vdi: 'a', vdev: 'xvda' },
  { vdi: 'b', vdev: 'xvdb' },
];

function vm(change: Partial<DiskedVm> = {}): DiskedVm {
  return {
    ...{ id: 'vm-1', name: 'web', desired: 'running', host: self, epoch: 2, operation: null },
    ...{ reported: 'running', domid: 7, disks, ...change },
  };
}

test('a VM is cut off from those of its devices that nobody serves', (t) => {
  const unserved = { disks: ['xvdb', 'xvdc'], nics: [1] };
  t.deepEqual(cutOff(vm(), unserved), { vm: 'vm-1', disks: ['b'], nics: [1] });
  t.deepEqual(cutOff(vm(), { disks: [], nics: [0] }), { vm: 'vm-1', disks: [], nics: [0] });
});

test('a VM that has all its devices is not cut off', (t) => {
  t.is(cutOff(vm(), { disks: [], nics: [] }), null);
});

test('a paused VM is at rest as well: it is to find its devices when it goes on', (t) => {
  const paused = { ...domain, state: { kind: 'paused' } } as const;
  t.deepEqual(atRest(self, [vm()], [domain]), [vm()]);
  t.is(atRest(self, [vm({ reported: 'paused' })], [paused]).length, 1);
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
    t.deepEqual(atRest(self, [vm(change)], [domain]), [], JSON.stringify(change));
  t.deepEqual(atRest(self, [vm()], []), []);
  for (const state of [{ kind: 'dying' }, { kind: 'shutdown', reason: 'crash' }] as const)
    t.deepEqual(atRest(self, [vm()], [{ ...domain, state }]), [], state.kind);
});
