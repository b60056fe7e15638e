import test from 'ava';
import { checkManifest } from '../../../pool/images/manifest.ts';
import { emulatorOf, type MachinePlan } from './emulator.ts';

function planOf(architecture: string, origin: string): MachinePlan {
  const sha256 = 'ab'.repeat(32);
  const manifest = checkManifest({
    format: 'flotilla-guest-image/1',
    ...{ service: 'consensus', version: '0.1.0', architecture },
    kernel: { ...{ file: 'vmlinuz', sha256, size: 1, origin }, release: '6.1.0', options: 1 },
    initramfs: { file: 'initramfs.img', sha256, size: 1 },
    ...{ commandLine: 'panic=1', memory: 192 * 2 ** 20 },
    ...{ ports: [], devices: [], privileges: [], databasePrefixes: [], configuration: null },
    sbom: { file: 'sbom.cdx.json', sha256 },
  });
  if (!manifest.ok) throw new Error(manifest.error);
  return { image: '/image', manifest: manifest.value };
}

test('each architecture has its machine, with the memory that the manifest asks for', (t) => {
  const { program, words } = emulatorOf(planOf('aarch64', 'cloud'));
  t.is(program, 'qemu-system-aarch64');
  const text = words.join(' ');
  t.regex(text, /-machine virt -cpu cortex-a72 -m 192 /);
  t.regex(text, /-kernel \/image\/vmlinuz -initrd \/image\/initramfs\.img /);
  t.regex(text, /-append panic=1 console=ttyAMA0 flotilla\.log=console$/);
  t.is(emulatorOf(planOf('x86_64', 'cloud')).program, 'qemu-system-x86_64');
});

test('a kernel for one service is given devices without PCI, which it may not have', (t) => {
  for (const [origin, bus] of [
    ['cloud', 'pci'],
    ['specialised', 'device'],
  ] as const)
    for (const architecture of ['x86_64', 'aarch64']) {
      const plan = planOf(architecture, origin);
      const { words } = emulatorOf({
        ...{ ...plan, disk: '/data.ext4' },
        forwards: [{ from: 5000, to: 2379 }],
      });
      const found = words.filter((word) => word.startsWith('virtio-'));
      t.deepEqual(
        found.map((word) => word.split(',')[0]),
        [`virtio-blk-${bus}`, `virtio-net-${bus}`],
      );
      t.true(words.join(' ').includes('hostfwd=tcp:127.0.0.1:5000-10.0.2.15:2379'));
      t.true(words.join(' ').includes('flotilla.data=/dev/vda flotilla.address=10.0.2.15/24'));
    }
});

test('another initramfs than the one of the image is booted where one is named', (t) => {
  const { words } = emulatorOf({ ...planOf('x86_64', 'cloud'), initramfs: '/probe' });
  t.is(words[words.indexOf('-initrd') + 1], '/probe');
});
