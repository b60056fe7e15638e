import test from 'ava';
import {
  readUpdateMask,
  type VmDraft,
  validateDraft,
  validateRequestId,
  validateTimeout,
} from './validation.ts';
import { refuseViolations } from './violation.ts';

const disk = { vdi: '', size: 2 ** 30, sr: '', readOnly: false };
const nic = { network: 'default', mac: '' };
const web: VmDraft = {
  name: 'web',
  memory: 256 * 2 ** 20,
  vcpus: 1,
  boot: null,
  disks: [disk],
  nics: [nic],
};

function fields(change: Partial<VmDraft>): readonly string[] {
  return validateDraft({ ...web, ...change }).map((violation) => violation.field);
}

test('a usual VM is accepted, and so is one at every bound', (t) => {
  t.deepEqual(fields({}), []);
  t.deepEqual(
    fields({
      name: 'a'.repeat(63),
      memory: 12 * 2 ** 40,
      vcpus: 512,
      disks: Array.from({ length: 16 }, () => ({ ...disk, size: 64 * 2 ** 40 })),
      nics: Array.from({ length: 8 }, () => nic),
      boot: { kernel: '/boot/vmlinuz', ramdisk: '', commandLine: 'x'.repeat(4096) },
    }),
    [],
  );
  t.deepEqual(fields({ memory: 4 * 2 ** 20, disks: [{ ...disk, size: 512 }], nics: [] }), []);
});

test('names that are empty, too long, oddly spelt or ids in disguise are refused', (t) => {
  for (const name of [
    '',
    'a'.repeat(64),
    'Web',
    'web_1',
    '-web',
    'web-',
    '.web',
    'we b',
    'wéb',
    '6f1f2a3c-0000-4000-8000-000000000001',
  ])
    t.deepEqual(fields({ name }), ['vm.name']);
  for (const name of ['a', '0', 'web.example.org', 'a-b.c']) t.deepEqual(fields({ name }), []);
});

test('memory that is no whole number of pages, too little, too much or overflowing is refused', (t) => {
  for (const memory of [0, -4096, 4096, 2 ** 22 + 1, 12 * 2 ** 40 + 4096, 2 ** 63, 1.5, Number.NaN])
    t.deepEqual(fields({ memory }), ['vm.memory']);
});

test('a number of virtual CPUs that Xen does not support is refused', (t) => {
  for (const vcpus of [0, -1, 513, 1.5]) t.deepEqual(fields({ vcpus }), ['vm.vcpus']);
});

test('each disk that is not accepted is named by its place', (t) => {
  const sizes = [2 ** 30, 0, 511, 64 * 2 ** 40 + 512, 2 ** 63, -1];
  t.deepEqual(
    fields({ disks: sizes.map((size) => ({ ...disk, size })) }),
    [1, 2, 3, 4, 5].map((index) => `vm.disks[${index}].size`),
  );
  t.deepEqual(fields({ disks: [{ ...disk, vdi: 'data', sr: 'local' }] }), [
    'vm.disks[0].size',
    'vm.disks[0].sr',
  ]);
  t.deepEqual(fields({ disks: [{ ...disk, vdi: 'data', size: 0 }] }), []);
  t.deepEqual(fields({ disks: Array.from({ length: 17 }, () => disk) }), ['vm.disks']);
});

test('MAC addresses are unicast, well formed, and unique within the VM', (t) => {
  const mac = (text: string) => ({ nics: [{ ...nic, mac: text }] });
  t.deepEqual(fields(mac('00:16:3E:ab:cd:ef')), []);
  for (const wrong of [
    '00:16:3e:00:00',
    '00-16-3e-00-00-01',
    '00:00:00:00:00:00',
    '01:16:3e:00:00:01',
    'ff:ff:ff:ff:ff:ff',
    '00:16:3g:00:00:01',
  ])
    t.deepEqual(fields(mac(wrong)), ['vm.nics[0].mac']);
  const same = { ...nic, mac: '00:16:3e:00:00:01' };
  t.deepEqual(fields({ nics: [same, nic, { ...same, mac: '00:16:3E:00:00:01' }] }), [
    'vm.nics[2].mac',
  ]);
});

test('an interface without a network, and more than eight, are refused', (t) => {
  t.deepEqual(fields({ nics: [{ network: '', mac: '' }] }), ['vm.nics[0].network']);
  t.deepEqual(fields({ nics: Array.from({ length: 9 }, () => nic) }), ['vm.nics']);
});

test('boot files are absolute paths, and the command line is printable and bounded', (t) => {
  const boot = { kernel: '/boot/vmlinuz', ramdisk: '/boot/initrd', commandLine: 'quiet' };
  t.deepEqual(fields({ boot }), []);
  t.deepEqual(fields({ boot: { ...boot, kernel: 'vmlinuz' } }), ['vm.boot.kernel']);
  t.deepEqual(fields({ boot: { ...boot, kernel: `/${'x'.repeat(4095)}` } }), ['vm.boot.kernel']);
  t.deepEqual(fields({ boot: { ...boot, ramdisk: '/a\0b' } }), ['vm.boot.ramdisk']);
  t.deepEqual(fields({ boot: { ...boot, kernel: '' } }), ['vm.boot.kernel']);
  t.deepEqual(fields({ boot: { ...boot, commandLine: 'x'.repeat(4097) } }), [
    'vm.boot.command_line',
  ]);
  t.deepEqual(fields({ boot: { ...boot, commandLine: 'a\nb' } }), ['vm.boot.command_line']);
});

test('one refusal tells of all violations, each with its field and what is accepted', (t) => {
  const violations = validateDraft({ ...web, name: 'Web', vcpus: 0 });
  const refusal = refuseViolations(violations);
  t.is(refusal?.reason, 'INVALID_FIELD');
  t.is(refusal?.field, 'vm.name');
  t.is(
    refusal?.message,
    '2 fields are not accepted: vm.name: "Web" is not a name; 1 to 63 of a-z, 0-9, "-" and "." are accepted, beginning and ending with a letter or digit; vm.vcpus: 0 virtual CPUs; from 1 to 512 are accepted',
  );
  t.is(refuseViolations([]), null);
});

test('an update names fields that can change, and at least one', (t) => {
  t.deepEqual(readUpdateMask(['name', 'boot.kernel']), {
    ok: true,
    value: new Set(['name', 'boot.kernel'] as const),
  });
  t.like(readUpdateMask([]), { ok: false, error: { field: 'update_mask' } });
  t.like(readUpdateMask(['name', 'disks']), {
    error: {
      message:
        '"disks" cannot be changed; accepted are name, memory, vcpus, boot, boot.kernel, boot.ramdisk, boot.command_line',
    },
  });
});

test('time-outs are from none to a day, and request ids are UUIDs', (t) => {
  t.deepEqual(validateTimeout('timeout_seconds', 0), []);
  t.is(validateTimeout('timeout_seconds', -1).length, 1);
  t.is(validateTimeout('timeout_seconds', 86_401).length, 1);
  t.deepEqual(validateRequestId('request_id', ''), []);
  t.deepEqual(validateRequestId('request_id', '6f1f2a3c-0000-4000-8000-000000000001'), []);
  t.is(validateRequestId('request_id', 'once').length, 1);
});

test('what is repeated of a refused text is bounded', (t) => {
  const [violation] = validateDraft({
    ...web,
    boot: { kernel: 'x'.repeat(4000), ramdisk: '', commandLine: '' },
  });
  t.true((violation?.message.length ?? 0) < 200);
});
