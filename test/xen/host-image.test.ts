import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { runCommand } from '../../base/command.ts';
import { milliseconds } from '../../base/units.ts';
import { fileInArchive } from '../../deploy/guest-image/boot/archive.ts';
import { writeDisk } from '../../deploy/image/disk.ts';
import { buildTestGuest } from '../../deploy/test-guest/test-guest.ts';
import { buildSignedImages } from './guest-images.ts';
import { type ImageMachine, machineAddress, memoryLine, startImage } from './image-machine.ts';
import { emulatedXenWords } from './machine.ts';
import { Operator } from './operator.ts';
import { OwnNetwork } from './own-network.ts';
import { elapsedReport } from './progress.ts';

/**
 * A host of nothing but what `flotilla host image` wrote: Xen, a control domain without a shell, and guests. It
 * is switched on with a seed that somebody else signed, and given its own while it waits.
 */
const services = ['xenstore', 'consensus', 'network', 'storage'] as const;
let directory: string;
let host: ImageMachine;
let network: OwnNetwork;
let operator: Operator;
const report = elapsedReport();

/** Building what is not in the cache, and then each part boots in minutes where all of it is emulated. */
const patience = 2_400_000;
const commandPatience = milliseconds(1_200_000);

const at = (...path: readonly string[]): string => join(directory, ...path);

async function makeSeed(key: string, out: string): Promise<void> {
  await operator.flotilla(
    ...['host', 'seed', '--dir', at('pool'), '--key', at(key, 'image-key.pem'), '--out', at(out)],
    ...['--address', '10.0.2.15/24', '--gateway', '10.0.2.2', '--guest-type', 'pv'],
    ...['--guest', 'consensus=10.0.2.21/24', '--guest', 'network=10.0.2.22/24'],
    ...['--guest', 'storage=10.0.2.23/24'],
  );
}

/** Waits until the host says it, and tells when. */
async function said(pattern: RegExp): Promise<void> {
  const [line] = await host.says(pattern);
  report(line);
}

test.serial.before('a host image is built, and switched on', async (t) => {
  t.timeout(patience);
  directory = await mkdtemp(join(tmpdir(), 'flotilla-host-image-'));
  network = await OwnNetwork.make(machineAddress);
  operator = new Operator(network, at('pool'));
  for (const key of ['builder', 'operator', 'stranger'])
    await operator.flotilla('image', 'keygen', '--out', at(key));
  await mkdir(at('images'));
  await buildSignedImages(services, at('images'), report);
  report('building the host image');
  await operator.flotilla(
    ...['host', 'image', '--out', at('host'), '--images', at('images')],
    ...['--seed-key', at('operator', 'image-key.pub.pem')],
    ...['--key', at('builder', 'image-key.pem')],
    ...['--xen-words', `${emulatedXenWords} dom0_max_vcpus=1`],
  );
  await makeSeed('stranger', 'stranger.seed');
  await makeSeed('operator', 'operator.seed');
  // What a VM boots is brought on the data disk.
  await mkdir(at('data', 'boot'), { recursive: true });
  const guest = await buildTestGuest(report);
  const dumped = ['-R', `rdump vmlinuz-guest initrd-guest ${at('data', 'boot')}`, guest];
  const taken = await runCommand('debugfs', dumped, commandPatience);
  if (!taken.ok) throw new Error(taken.error.detail);
  await writeDisk(at('data'), at('data.ext4'), { size: 8 * 2 ** 30, files: 4096 });
  await copyFile(at('stranger.seed'), at('seed'));
  await mkdir(at('machine'));
  report('the host is switched on');
  host = await startImage({
    image: at('host'),
    disks: [at('data.ext4'), at('host', 'images.squashfs'), at('seed')],
    ...{ network, ports: [7421, 7424], words: ['flotilla.memory=20'] },
    directory: at('machine'),
  });
});

test.after.always('the host is gone', async () => {
  await host?.kill();
  await network?.remove();
  await rm(directory, { recursive: true, force: true });
});

/** Programs with which somebody could log in, or run another. */
const interactive = /\/(ba|da|a|z|k|c)?sh$|busybox|login|getty|sshd|\/(apt|dpkg|perl|python)/;

test.serial('there is no shell in the control domain, and nothing to log in to', async (t) => {
  const initramfs = await readFile(at('host', 'initramfs.img'));
  for (const name of ['root', 'runtime']) {
    const content = fileInArchive(initramfs, `${name}.squashfs`);
    t.not(content, null);
    const file = at(`${name}.squashfs`);
    await writeFile(file, content ?? '');
    const listed = await runCommand('unsquashfs', ['-l', file], milliseconds(60_000));
    const paths = listed.ok ? listed.value.split('\n') : [];
    t.true(paths.length > 10, 'files are listed');
    t.deepEqual(
      paths.filter((path) => interactive.test(path)),
      [],
    );
  }
});

test.serial("the image is the builder's, and a bit changed is told", async (t) => {
  const key = at('builder', 'image-key.pub.pem');
  t.regex(
    await operator.flotilla('host', 'verify', at('host'), '--key', key),
    /is the one that key/,
  );
  await t.throwsAsync(
    operator.flotilla('host', 'verify', at('host'), '--key', at('stranger', 'image-key.pub.pem')),
  );
});

test.serial("a seed that somebody else signed is refused, and the host's own taken", async (t) => {
  t.timeout(patience);
  await said(
    /flotilla host: cannot go on: .*\/dev\/vdc holds a seed.*this image takes seeds of key/,
  );
  t.notRegex(await host.said(), /flotilla host: host-1/, 'nothing of it was believed');
  await copyFile(at('operator.seed'), at('seed'));
  await said(/flotilla host: host-1 of pool pool takes its seed/);
  await said(/flotilla host: 10\.0\.2\.15\/24 is on xenbr0/);
  t.pass();
});

test.serial('the xenstore domain serves, and the control domain uses it', async (t) => {
  t.timeout(patience);
  await said(/flotilla host: the xenstore domain serves/);
  await said(/flotilla host: xenstore knows the control domain/);
  await said(/flotilla host: xenconsoled runs/);
  t.pass();
});

test.serial("the pool's database serves from its guest", async (t) => {
  t.timeout(patience);
  await said(/flotilla host: the consensus guest is serving, domain \d+/);
  t.pass();
});

test.serial('the services of the control domain serve who the operator knows', async (t) => {
  t.timeout(patience);
  await said(/flotilla host: vm-lifecycle serves/);
  const hosts = await operator.jsonAtLast<readonly { name: string }[]>('host', 'list');
  t.deepEqual(
    hosts.map(({ name }) => name),
    ['host-1'],
  );
});

test.serial('the services of networks and of disks serve from their guests', async (t) => {
  t.timeout(patience);
  await said(/flotilla host: the network guest is serving, domain \d+/);
  await said(/flotilla host: the storage guest is serving, domain \d+/);
  t.pass();
});

test.serial('a VM starts, with its disk and its NIC served by driver domains', async (t) => {
  t.timeout(patience);
  await operator.asks(
    ...['vm', 'create', '--name', 'web', '--type', 'pv', '--memory', '128MiB', '--vcpus', '1'],
    ...['--disk', '64MiB', '--network', 'default'],
    ...['--kernel', '/data/boot/vmlinuz-guest', '--ramdisk', '/data/boot/initrd-guest'],
    ...['--command-line', `console=hvc0 flotilla.ip=10.0.2.101/24 flotilla.ping=${machineAddress}`],
  );
  await operator.asks('vm', 'start', 'web');
  const printed = await operator.consoleWith('web', 'flotilla guest: devices done');
  t.regex(printed, /disk xvda 67108864 bytes, wrote and read back/);
  t.regex(printed, /ping 10\.0\.2\.15 answered/);
  const text = await host.said();
  const domains = ['storage', 'network'].map(
    (service) => text.match(new RegExp(`the ${service} guest is serving, domain (\\d+)`))?.[1],
  );
  const [vm] = await operator.json<readonly { domid: number }[]>('vm', 'list');
  const backends = await operator.asks(
    ...['xenstore', 'read', '--host', 'host-1'],
    ...['vbd/51712', 'vif/0'].map(
      (device) => `/local/domain/${vm?.domid}/device/${device}/backend-id`,
    ),
  );
  t.deepEqual(backends.trimEnd().split('\n'), domains);
});

test.serial("the operator has the host's services started anew from afar", async (t) => {
  t.timeout(patience);
  for (const service of ['vm-lifecycle', 'consensus'])
    t.log((await operator.asks('host', 'restart', service, '--host', 'host-1')).trim());
  const [vm] = await operator.json<readonly { powerState: string }[]>('vm', 'list');
  t.is(vm?.powerState, 'POWER_STATE_RUNNING');
});

test.serial('what the guests booted is what was built and signed', async (t) => {
  t.timeout(patience);
  await operator.asks('image', 'key', 'trust', at('images', 'trusted-key.pem'), '--name', 'builds');
  for (const service of services) await operator.asks('image', 'publish', at('images', service));
  t.log(await operator.asks('host', 'attest', 'host-1'));
  t.pass();
});

test.serial('the control domain never needs three quarters of what it is given', async (t) => {
  t.timeout(patience);
  await operator.asks('vm', 'destroy', 'web', '--yes');
  const lines = (await host.said()).matchAll(new RegExp(memoryLine, 'g'));
  const [used, given] = [...lines].reduce(
    ([most], [, each, total]) => [Math.max(most, Number(each)), Number(total)],
    [0, 0],
  );
  t.log(`at most ${Math.ceil(used / 1024)} MiB in use of ${Math.floor(given / 1024)}`);
  t.true(used > 0 && used < 0.75 * given);
});
