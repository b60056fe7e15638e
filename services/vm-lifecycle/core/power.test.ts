import test from 'ava';
import { type ClaimedVm, type ReportedStatus, reportPower } from './power.ts';

const claimed: ClaimedVm = { desired: 'running', host: 'id-2', epoch: 3 };
const status: ReportedStatus = {
  epoch: 3,
  powerState: 'running',
  domid: 7,
  startedAt: 1000,
  detail: '',
};
const up = { name: 'host-2', up: true };
const down = { name: 'host-2', up: false };

test('a VM that was never claimed is halted', (t) => {
  t.like(reportPower({ desired: 'halted', host: null, epoch: 0 }, null, null), {
    state: 'halted',
    host: '',
  });
});

test('a VM that its host reports running is running, with its domain and its start', (t) => {
  t.deepEqual(reportPower(claimed, status, up), {
    state: 'running',
    host: 'host-2',
    domid: 7,
    startedAt: 1000,
    detail: '',
  });
});

test('a status of an older claim counts for nothing', (t) => {
  t.like(reportPower({ ...claimed, epoch: 4 }, status, up), { state: 'halted', host: 'host-2' });
});

test('a VM that may run on a host that is down is unknown, and the detail names the host', (t) => {
  const unknown = { state: 'unknown', host: 'host-2', domid: 0 };
  t.like(reportPower(claimed, status, down), {
    ...unknown,
    detail: 'host-2 is down: nobody can say whether the VM runs',
  });
  t.like(reportPower({ ...claimed, desired: 'halted' }, status, down), unknown);
  t.like(reportPower(claimed, null, down), unknown);
  t.like(reportPower(claimed, status, null), { state: 'unknown', host: 'id-2' });
});

test('a VM that was halted before its host went down stays halted, and says why', (t) => {
  const crashed: ReportedStatus = {
    ...status,
    powerState: 'halted',
    domid: 0,
    detail: 'the guest crashed',
  };
  t.deepEqual(reportPower({ ...claimed, desired: 'halted' }, crashed, down), {
    state: 'halted',
    host: '',
    domid: 0,
    startedAt: null,
    detail: 'the guest crashed',
  });
});
