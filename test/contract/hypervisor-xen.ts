import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { milliseconds } from '../../base/units.ts';
import type { Hypervisor } from '../../hypervisor/port.ts';
import { connectXen } from '../../hypervisor/xen/index.ts';
import { hypervisorContract } from './hypervisor.ts';
import type { ContractSubject } from './hypervisor-subject.ts';
import { xenCases } from './hypervisor-xen-cases.ts';

/**
 * Runs the hypervisor's suite on real Xen, in a control domain that has the lab's test guest and
 * a bridge: `node hypervisor-xen.ts [--type pv|pvh] [--only WORDS]`. It reports as TAP, and ends
 * with code 1 if a case failed.
 */

/** An emulated host takes a minute and a half for a PVH guest, and twice that when it is busy. */
const patience = milliseconds(300_000);
const boot = '/var/lib/flotilla/boot';
const bridge = 'xenbr0';

const { values } = parseArgs({
  options: { type: { type: 'string', default: 'pv' }, only: { type: 'string', default: '' } },
});
const directory = mkdtempSync(join(tmpdir(), 'hypervisor-'));
const image = join(directory, 'disk.raw');
writeFileSync(image, '');
truncateSync(image, 64 * 2 ** 20);
const diskPath = execFileSync('/usr/sbin/losetup', ['--find', '--show', image], {
  encoding: 'utf8',
}).trim();

let hypervisor: Hypervisor = connectXen();
const subject: ContractSubject = {
  get hypervisor() {
    return hypervisor;
  },
  kind: 'xen',
  type: values.type === 'pvh' ? 'pvh' : 'pv',
  kernel: `${boot}/vmlinuz-guest`,
  ramdisk: `${boot}/initrd-guest`,
  commandLine: 'console=hvc0',
  diskPath,
  bridge,
  joinBridge: (name) => {
    execFileSync('/usr/sbin/ip', ['link', 'set', name, 'master', bridge, 'up']);
    return Promise.resolve();
  },
  lines: {
    first: /Linux version/,
    devices: [
      /flotilla guest: disk xvda \d+ bytes, wrote and read back/,
      /flotilla guest: nic eth0 mac 00:16:3e:5a:00:01 up/,
    ],
    up: /flotilla guest: devices done/,
    tried: /wrote and read back\s+flotilla guest: tried disk xvda/,
    drained: /flotilla guest: drained/,
  },
  // xvda of any guest: the major number is blkfront's own.
  guestDevice: '202:0',
  patience,
  reconnect: async () => {
    await hypervisor.close();
    hypervisor = connectXen();
    return connectXen();
  },
};

const chosen = [...hypervisorContract, ...xenCases].filter(({ title }) =>
  title.includes(values.only),
);
let failures = 0;
process.stdout.write(`TAP version 14\n1..${chosen.length}\n`);
for (const [position, { title, run }] of chosen.entries()) {
  const start = performance.now();
  const failure = await run(subject).then(
    () => null,
    (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error)),
  );
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (failure !== null) failures += 1;
  const outcome = failure === null ? 'ok' : 'not ok';
  process.stdout.write(`${outcome} ${position + 1} - ${subject.type}: ${title} # ${seconds} s\n`);
  if (failure !== null) process.stdout.write(`  ${failure.replaceAll('\n', '\n  ')}\n`);
}
await hypervisor.close();
execFileSync('/usr/sbin/losetup', ['--detach', diskPath]);
rmSync(directory, { recursive: true });
process.exitCode = failures === 0 ? 0 : 1;
