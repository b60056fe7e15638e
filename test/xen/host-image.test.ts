import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import test from 'ava';
import { runCommand } from '../../base/command.ts';
import { milliseconds } from '../../base/units.ts';
import { fileInArchive } from '../../deploy/guest-image/boot/archive.ts';
import { writeDisk } from '../../deploy/image/disk.ts';
import { freeTcpPort } from './free-port.ts';
import { buildSignedImages } from './guest-images.ts';
import { type ImageMachine, startImage } from './image-machine.ts';
import { emulatedXenWords } from './machine.ts';
import { elapsedReport } from './progress.ts';
import { checkout } from './toolstack.ts';

/**
 * A host of nothing but what `flotilla host image` wrote: Xen, a control domain without a shell, and guests. It
 * is switched on with a seed that somebody else signed, and given its own while it waits.
 */
let directory: string;
let host: ImageMachine;
let port: number;
const report = elapsedReport();

/** Building what is not in the cache, and then each part boots in minutes where all of it is emulated. */
const patience = 2_400_000;
const commandPatience = milliseconds(1_200_000);

/** Runs `flotilla ...` on this machine, in the test's directory; returns what it printed. */
async function flotilla(...words: readonly string[]): Promise<string> {
  const done = await runCommand(
    process.execPath,
    [join(checkout, 'main.ts'), ...words],
    commandPatience,
  );
  if (done.ok) return done.value;
  throw new Error(`${done.error.command}: ${done.error.detail}`);
}

const at = (...path: readonly string[]): string => join(directory, ...path);

async function makeSeed(key: string, out: string): Promise<void> {
  await flotilla(
    ...['host', 'seed', '--dir', at('pool'), '--key', at(key, 'image-key.pem'), '--out', at(out)],
    ...['--address', '10.0.2.15/24', '--gateway', '10.0.2.2', '--guest-type', 'pv'],
    ...['--guest', 'consensus=10.0.2.21/24', '--guest', 'network=10.0.2.22/24'],
    ...['--guest', 'storage=10.0.2.23/24'],
  );
}

test.serial.before('a host image is built, and switched on', async (t) => {
  t.timeout(patience);
  directory = await mkdtemp(join(tmpdir(), 'flotilla-host-image-'));
  for (const key of ['builder', 'operator', 'stranger'])
    await flotilla('image', 'keygen', '--out', at(key));
  const services = ['xenstore', 'consensus', 'network', 'storage'] as const;
  await mkdir(at('images'));
  await buildSignedImages(services, at('images'), report);
  report('building the host image');
  await flotilla(
    ...['host', 'image', '--out', at('host'), '--images', at('images')],
    ...['--seed-key', at('operator', 'image-key.pub.pem')],
    ...['--key', at('builder', 'image-key.pem')],
    ...['--xen-words', `${emulatedXenWords} dom0_max_vcpus=1`],
  );
  await makeSeed('stranger', 'stranger.seed');
  await makeSeed('operator', 'operator.seed');
  await mkdir(at('empty'));
  await writeDisk(at('empty'), at('data.ext4'), { size: 8 * 2 ** 30, files: 4096 });
  await copyFile(at('stranger.seed'), at('seed'));
  port = await freeTcpPort();
  await mkdir(at('machine'));
  host = await startImage({
    image: at('host'),
    disks: [at('data.ext4'), at('host', 'images.squashfs'), at('seed')],
    forwards: [{ from: port, to: 7421 }],
    directory: at('machine'),
  });
});

test.after.always('the host is gone', async () => {
  await host?.kill();
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
  t.regex(await flotilla('host', 'verify', at('host'), '--key', key), /is the one that key/);
  await t.throwsAsync(
    flotilla('host', 'verify', at('host'), '--key', at('stranger', 'image-key.pub.pem')),
  );
});

test.serial("a seed that somebody else signed is refused, and the host's own taken", async (t) => {
  t.timeout(patience);
  await host.says(
    /flotilla host: cannot go on: .*\/dev\/vdc holds a seed.*this image takes seeds of key/,
  );
  t.notRegex(await host.said(), /flotilla host: host-1/, 'nothing of it was believed');
  await copyFile(at('operator.seed'), at('seed'));
  await host.says(/flotilla host: host-1 of pool pool takes its seed/);
  await host.says(/flotilla host: 10\.0\.2\.15\/24 is on xenbr0/);
  t.pass();
});

test.serial('the xenstore domain serves, and the control domain uses it', async (t) => {
  t.timeout(patience);
  await host.says(/flotilla host: the xenstore domain serves/);
  await host.says(/flotilla host: xenstore knows the control domain/);
  await host.says(/flotilla host: xenconsoled runs/);
  t.pass();
});

test.serial("the pool's database serves from its guest", async (t) => {
  t.timeout(patience);
  await host.says(/flotilla host: the consensus guest is serving, domain \d+/);
  t.pass();
});

test.serial('the services of the control domain serve who the operator knows', async (t) => {
  t.timeout(patience);
  await host.says(/flotilla host: vm-lifecycle serves/);
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'operator.pem', 'operator-key.pem'].map((name) =>
      readFile(at('pool', 'identity', name)),
    ),
  );
  const socket = connect({ port, host: '127.0.0.1', servername: 'host-1', ca, cert, key });
  const authorized = await new Promise<boolean>((resolve, reject) => {
    socket.once('secureConnect', () => resolve(socket.authorized));
    socket.once('error', reject);
  });
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  t.true(authorized);
  t.is(name, 'host-1/vm-lifecycle');
});
