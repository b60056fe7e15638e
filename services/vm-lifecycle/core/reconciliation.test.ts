import test from 'ava';
import {
  type ObservedDomain,
  type ReconciledVm,
  type ShutdownReason,
  settleVms,
  strayDomains,
} from './reconciliation.ts';

const self = 'host-1';

function vm(change: Partial<ReconciledVm> = {}): ReconciledVm {
  return {
    id: 'vm-1',
    name: 'web',
    desired: 'running',
    host: self,
    epoch: 2,
    operation: null,
    reported: 'running',
    domid: 7,
    ...change,
  };
}

function domain(change: Partial<ObservedDomain> = {}): ObservedDomain {
  return { id: 7, uuid: 'vm-1', name: 'web', state: { kind: 'running' }, ...change };
}

function stopped(reason: ShutdownReason): ObservedDomain {
  return domain({ state: { kind: 'shutdown', reason } });
}

const every = () => true;

test('a VM that runs as it should is left alone', (t) => {
  t.deepEqual(settleVms(self, [vm()], [domain()]), []);
});

test('a VM that an operation works on, or that another host has claimed, is left alone', (t) => {
  t.deepEqual(settleVms(self, [vm({ operation: 'op-1' })], []), []);
  t.deepEqual(settleVms(self, [vm({ host: 'host-2' })], []), []);
});

test('a running domain that the status does not show is reported', (t) => {
  const report = { kind: 'report', vm: 'vm-1', powerState: 'running', domid: 7 };
  t.deepEqual(settleVms(self, [vm({ reported: 'halted' })], [domain()]), [report]);
  t.deepEqual(settleVms(self, [vm({ domid: 6 })], [domain()]), [report]);
  t.deepEqual(settleVms(self, [vm()], [domain({ state: { kind: 'paused' } })]), [
    { ...report, powerState: 'paused' },
  ]);
});

test('a guest that powered off is cleaned up, one that rebooted is built anew', (t) => {
  t.deepEqual(settleVms(self, [vm()], [stopped('poweroff')]), [
    { kind: 'clean-up', vm: 'vm-1', detail: '' },
  ]);
  t.deepEqual(settleVms(self, [vm()], [stopped('reboot')]), [{ kind: 'restart', vm: 'vm-1' }]);
});

test('a guest that crashed, hung or suspended is cleaned up, and the detail says so', (t) => {
  for (const [reason, detail] of [
    ['crash', 'the guest crashed'],
    ['watchdog', "the guest's watchdog expired"],
    ['suspend', 'the guest suspended itself'],
  ] as const)
    t.deepEqual(settleVms(self, [vm()], [stopped(reason)]), [
      { kind: 'clean-up', vm: 'vm-1', detail },
    ]);
});

test('a VM whose domain is gone, as after a restart of the host, is cleaned up', (t) => {
  for (const domains of [[], [domain({ state: { kind: 'dying' } })]])
    t.like(settleVms(self, [vm()], domains)[0], { kind: 'clean-up', vm: 'vm-1' });
});

test('what a failed operation left of a VM that is to be halted is cleaned up', (t) => {
  t.deepEqual(settleVms(self, [vm({ desired: 'halted' })], []), [
    { kind: 'clean-up', vm: 'vm-1', detail: '' },
  ]);
  t.deepEqual(settleVms(self, [vm({ desired: 'halted', reported: 'halted' })], []), []);
  t.deepEqual(settleVms(self, [vm({ desired: 'halted', reported: null })], []), []);
});

test('domains whose VM is gone, elsewhere or halted are stray', (t) => {
  const halted = vm({ desired: 'halted', reported: 'halted' });
  for (const vms of [[], [vm({ host: 'host-2' })], [vm({ host: null })], [halted]])
    t.deepEqual(strayDomains(self, vms, [domain()], every), [domain()]);
});

test('the domain of a VM that runs, or that an operation works on, is not stray', (t) => {
  for (const change of [{}, { desired: 'halted' as const }, { operation: 'op-1' }])
    t.deepEqual(strayDomains(self, [vm(change)], [domain()], every), []);
  const starting = vm({ desired: 'halted', reported: null, operation: 'op-1' });
  t.deepEqual(strayDomains(self, [starting], [domain()], every), []);
});

test('a domain that Flotilla did not build is never stray', (t) => {
  t.deepEqual(
    strayDomains(self, [], [domain()], () => false),
    [],
  );
});

test('a domain that is dying already is not destroyed again', (t) => {
  t.deepEqual(strayDomains(self, [], [domain({ state: { kind: 'dying' } })], every), []);
});
