import test from 'ava';
import { checkManifest } from '../../pool/images/manifest.ts';
import { guestServices } from './services.ts';
import { systemdUnit, xlConfiguration } from './start-files.ts';

function manifestOf(service: 'xenstore' | 'consensus') {
  const sha256 = 'ab'.repeat(32);
  const manifest = checkManifest({
    format: 'flotilla-guest-image/1',
    ...{ service, version: '0.1.0', architecture: 'x86_64' },
    kernel: {
      ...{ file: 'vmlinuz', sha256, size: 1, origin: 'cloud', release: '6.1.0', options: 1 },
    },
    initramfs: { file: 'initramfs.img', sha256, size: 1 },
    commandLine: 'panic=1 flotilla.log=console',
    memory: 192 * 2 ** 20,
    ...{ ports: [], devices: [], privileges: [], databasePrefixes: [], configuration: null },
    sbom: { file: 'sbom.cdx.json', sha256 },
  });
  if (!manifest.ok) throw new Error(manifest.error);
  return manifest.value;
}

test('xl is told what the manifest says of an ordinary guest', (t) => {
  const text = xlConfiguration(manifestOf('consensus'));
  t.regex(text, /^kernel = "vmlinuz"$/m);
  t.regex(text, /^ramdisk = "initramfs\.img"$/m);
  t.regex(text, /^cmdline = "panic=1 flotilla\.log=console"$/m);
  t.regex(text, /^memory = 192$/m);
});

test('the xenstore domain is not for xl: its file says which program starts it', (t) => {
  const text = xlConfiguration(manifestOf('xenstore'));
  t.true(text.split('\n').every((line) => line === '' || line.startsWith('#')));
  t.regex(text, /init-xenstore-domain/);
  t.regex(text, /--memory 192/);
});

test('as a process a service is what it is in its guest, but for the domain', (t) => {
  const xenstored = systemdUnit(manifestOf('xenstore'), guestServices.xenstore);
  t.regex(
    xenstored,
    /^ExecStart=\/usr\/bin\/env flotilla xenstored --data-dir \/run\/flotilla\/xenstored$/m,
  );
  const member = systemdUnit(manifestOf('consensus'), guestServices.consensus);
  t.regex(
    member,
    /flotilla consensus --config \/etc\/flotilla\/consensus\.json --data-dir \/var\/lib\/flotilla\/consensus$/m,
  );
  t.regex(member, /^CapabilityBoundingSet=$/m);
});
