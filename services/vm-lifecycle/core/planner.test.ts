import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import {
  type PlannedVm,
  planCreate,
  planDelete,
  planDestroy,
  planReboot,
  planReconnect,
  planRestart,
  planShutdown,
  planStart,
} from './planner.ts';
import { type PlannedStep, stepKinds } from './step.ts';

const web: PlannedVm = {
  id: 'vm-web',
  name: 'web',
  type: 'pvh',
  memory: 256 * 2 ** 20,
  vcpus: 2,
  kernel: '/boot/vmlinuz',
  ramdisk: '/boot/initrd',
  commandLine: 'console=hvc0',
  disks: [
    { vdi: 'vdi-root', vdev: 'xvda', readOnly: false, owned: true },
    { vdi: 'vdi-data', vdev: 'xvdb', readOnly: true, owned: false },
  ],
  nics: [
    { network: 'net-a', mac: '00:16:3e:00:00:01' },
    { network: 'net-b', mac: '00:16:3e:00:00:02' },
  ],
  epoch: 3,
};
const bare: PlannedVm = { ...web, kernel: '', ramdisk: '', disks: [], nics: [] };

const plans: Readonly<Record<string, readonly PlannedStep[]>> = {
  'create with a new disk': planCreate(web, [
    { vdi: 'vdi-root', name: 'web-xvda', sr: 'sr-1', size: 2 ** 30 },
  ]),
  'create without a disk': planCreate(bare, []),
  start: planStart(web),
  'start without disks and interfaces': planStart(bare),
  shutdown: planShutdown(web, 60),
  reboot: planReboot(web, 60),
  restart: planRestart(web),
  reconnect: planReconnect(web, { disks: ['vdi-data'], nics: [0, 1] }),
  destroy: planDestroy(web, 'the guest crashed'),
  delete: planDelete(web),
};

/** One line a step: what it does, with what, and what undoing it does. */
function transcript(steps: readonly PlannedStep[]): string {
  return steps
    .map(({ name, description, input }) => {
      const { undo, irreversible } = stepKinds[name];
      const back = irreversible ? 'no way back' : `undo: ${undo ?? 'nothing'}`;
      return `${name} ${JSON.stringify(input)}\n  # ${description}; ${back}\n`;
    })
    .join('');
}

const golden = join(import.meta.dirname, 'golden');

for (const [name, steps] of Object.entries(plans))
  test(`the plan of ${name} is the golden one`, (t) => {
    const file = join(golden, `${name.replaceAll(' ', '-')}.txt`);
    if (process.env.FLOTILLA_REWRITE_GOLDEN === '1') writeFileSync(file, transcript(steps));
    t.is(transcript(steps), readFileSync(file, 'utf8'));
  });

test('a plan that may fail after its point of no return can undo all that it does from there on', (t) => {
  for (const steps of Object.values(plans)) {
    const lastFinal = steps.findLastIndex((step) => stepKinds[step.name].irreversible);
    const claim = steps.findIndex((step) => step.name === 'vm.claim');
    if (lastFinal === steps.length - 1 && claim === -1) continue;
    const before = steps.slice(0, claim).map((step) => step.name);
    t.false(before.some((name) => name === 'storage.attach' || name === 'domain.create'));
    const after = steps.slice(claim, -1);
    t.false(after.some((step) => stepKinds[step.name].irreversible));
  }
});

test('a restart attaches every disk again, so that undoing it detaches them all', (t) => {
  const names = planRestart(web).map((step) => step.name);
  t.true(names.indexOf('domain.destroy') < names.indexOf('vm.claim'));
  t.is(names.filter((name) => name === 'storage.attach').length, web.disks.length);
});
