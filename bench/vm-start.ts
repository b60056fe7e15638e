import { parseArgs } from 'node:util';
import type { ControlDomain } from '../test/xen/control-domain.ts';
import { bootLab } from '../test/xen/lab.ts';
import { PoolInLab } from '../test/xen/pool-in-lab.ts';
import { median, summary } from './statistics.ts';

/**
 * `vm start` against `xl create` of the same guest on the same real Xen host: the same kernel, initial
 * RAM disk, memory, disk and network, in turns. Three times are taken of ours: the command as a person
 * runs it, with the start of Node in it; the operation alone, from the request to its end, as a program
 * that calls the API sees it; and for `xl create` the command, which is a small C program.
 */

const rounds = 3;

const boot = '/var/lib/flotilla/boot';
const disk = '/var/lib/flotilla/bench.img';

/** What is read of the CLI's JSON; times are RFC 3339. */
interface Timed {
  readonly createTime: string;
  readonly endTime: string;
  readonly verb: string;
}

function xlConfiguration(type: string): string {
  return [
    'name = "bench-xl"',
    `type = "${type}"`,
    `kernel = "${boot}/vmlinuz-guest"`,
    `ramdisk = "${boot}/initrd-guest"`,
    'extra = "console=hvc0"',
    'memory = 128',
    'vcpus = 1',
    `disk = ["format=raw,vdev=xvda,access=rw,target=${disk}"]`,
    'vif = ["bridge=xenbr0"]',
    '',
  ].join('\n');
}

/** Runs a shell line in the control domain and returns how long it took there, in milliseconds. */
async function timed(host: ControlDomain, line: string): Promise<number> {
  const text = await host.sh(
    `begin=$(cut -d' ' -f1 /proc/uptime); { ${line}; } >/dev/null 2>&1 || echo failed; end=$(cut -d' ' -f1 /proc/uptime); echo "$begin $end"`,
    { timeout: 300_000 },
  );
  if (text.includes('failed')) throw new Error(`${host.name}: ${line}: failed`);
  const [begin = 0, end = 0] = text.trim().split(' ').map(Number);
  return Math.round((end - begin) * 1000);
}

async function operationTime(pool: PoolInLab): Promise<number> {
  const operations = await pool.json<readonly Timed[]>('operation', 'list');
  const newest = operations.find((each) => each.verb === 'vm.start');
  if (newest === undefined) throw new Error('no vm.start among the operations');
  return Date.parse(newest.endTime) - Date.parse(newest.createTime);
}

/** Measures and prints; see the head of this file. */
export async function benchVmStart(words: readonly string[]): Promise<void> {
  parseArgs({ args: [...words], options: {} });
  const lab = await bootLab({ hosts: 1 });
  await measure(lab.first).finally(() => lab.close());
}

async function measure(host: ControlDomain): Promise<void> {
  const pool = new PoolInLab(host);
  await pool.start();
  await host.sh(`truncate -s 64M ${disk}`);
  for (const type of ['pv', 'pvh']) {
    await host.put('/tmp/bench.cfg', xlConfiguration(type));
    await pool.done(
      ...['vm', 'create', '--name', 'bench', '--type', type, '--memory', '128MiB', '--vcpus', '1'],
      ...['--disk', '64MiB', '--network', 'default'],
      ...['--kernel', `${boot}/vmlinuz-guest`, '--ramdisk', `${boot}/initrd-guest`],
      ...['--command-line', 'console=hvc0'],
    );
    const [xl, command, operation]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < rounds; round += 1) {
      xl.push(await timed(host, 'xl create /tmp/bench.cfg'));
      await host.sh('xl destroy bench-xl');
      command.push(await timed(host, `FLOTILLA_POOL=${pool.directory} flotilla vm start bench`));
      operation.push(await operationTime(pool));
      await pool.done('vm', 'destroy', 'bench', '--yes');
    }
    await pool.done('vm', 'delete', 'bench', '--yes');
    const ratio = (ours: readonly number[]) =>
      `${(median(ours) / median(xl)).toFixed(2)} x xl create`;
    console.log(`\n${type} guest, 128 MiB, one disk, one NIC; ${rounds} rounds in turns`);
    console.log(`  xl create                        ${summary(xl)}`);
    console.log(`  flotilla vm start, the command   ${summary(command)}   ${ratio(command)}`);
    console.log(`  flotilla vm start, the operation ${summary(operation)}   ${ratio(operation)}`);
  }
}
