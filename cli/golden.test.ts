import test from 'ava';
import { goldenSession as session } from './testing/golden-session.ts';
import type { SimulatedPool } from './testing/simulated-pool.ts';
import { simulatedVm } from './testing/simulated-state.ts';

function withWeb(pool: SimulatedPool): void {
  const vm = simulatedVm(pool.state, { name: 'web', disks: [{ size: 2 ** 30 }] });
  pool.state.put('vm', vm);
}

test('the first VM: an empty pool says how to make it, and what is done is told step by step', (t) =>
  session(t, 'first-vm', [
    'vm list',
    'vm list --json',
    'vm create --name web --memory 256MiB --disk 1GiB --disk 2GiB@fast --network default --dry-run',
    'vm create --name web --memory 256MiB --disk 1GiB --disk 2GiB@fast --network default',
    'vm start web',
    'vm list',
    'vm show web',
    'vm create --name db --start',
    'vm list',
  ]));

test('the life of a VM, as a program reads it', (t) =>
  session(t, 'life-in-json', [
    'vm create --name web --disk 1GiB --json',
    'vm start web --json',
    'vm show web --json',
    'vm shutdown web --json --no-wait',
    'operation list --json',
    'vm destroy web --json --dry-run',
  ]));

test('a VM is shut down, rebooted, destroyed and deleted', (t) =>
  session(
    t,
    'power',
    [
      'vm start web --host host-1',
      'vm reboot web --guest-timeout 5s',
      'vm shutdown web',
      'vm start web',
      'vm destroy web',
      'vm destroy web --yes',
      'vm delete web --dry-run',
      'vm delete web --yes',
      'vm list',
    ],
    withWeb,
  ));

test('hosts, operations and the pool at a glance', (t) =>
  session(
    t,
    'looking',
    [
      'host list',
      'host show host-1',
      'pool status',
      'vm start web',
      'operation list',
      'operation show 00000005',
      'operation show 00000005 --json',
    ],
    withWeb,
  ));

test('a host that is down shows in the pool status, with what it means', (t) =>
  session(t, 'host-down', ['pool status'], ({ state, database }) => {
    database.kill(1);
    const host = state.find('host', 'host-2');
    t.truthy(host);
    if (host !== undefined) state.put('host', { ...host, state: 'HOST_STATE_DOWN' });
  }));

test('what the pool refuses is told with the field, close names, and what to do', (t) =>
  session(
    t,
    'refused',
    [
      'vm create --name web',
      'vm create --name web --json',
      'vm start wbe',
      'vm start wbe --json',
      'host show host1',
      'operation show 77777777',
      'operation watch 77777777-0000-4000-8000-000000000000',
    ],
    withWeb,
  ));

test('an operation that fails says at which step, why, and that all is undone', (t) =>
  session(
    t,
    'failed',
    ['vm start web', 'vm start web --json', 'operation list', 'operation show 00000005'],
    (pool) => {
      withWeb(pool);
      pool.operations.failAt('build the domain', {
        reason: 'BOOT_FILE',
        message: 'host-1 has no file /boot/vmlinuz',
        remedy: 'put a kernel there, or name another one with `flotilla vm create --kernel`',
      });
    },
  ));

test('wrong command lines are refused before anything is sent', (t) =>
  session(
    t,
    'wrong-usage',
    [
      'vm strat web',
      'vm start',
      'vm start web --colour',
      'vm create --memory 1GiB',
      'vm create --name web --memory 3XB',
      'vm create --name web --memory 3XB --json',
      'vm create --name web --vcpus 0',
      'vm create --name web --disk 1GiB@',
      'vm create --name web --type hvm',
      'vm create --name web --kernel bzImage',
      'vm create --name web --ramdisk /initrd',
      'vm create --name web --start --no-wait',
      'vm list --timeout soon',
      'vm delete web',
      'operation cancel',
    ],
    withWeb,
  ));

test('the help of every command is what it was', (t) =>
  session(t, 'help', [
    'vm --help',
    'vm create --help',
    'vm list --help',
    'vm show --help',
    'vm start --help',
    'vm shutdown --help',
    'vm destroy --help',
    'vm console --help',
    'vm watch --help',
    'host --help',
    'operation --help',
    'operation watch --help',
    'operation cancel --help',
    'completion --help',
  ]));
