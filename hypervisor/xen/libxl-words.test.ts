import test from 'ava';
import { bytes } from '../../base/units.ts';
import { controlDomain, type DomainConfig, type DomainId, type DomainUuid } from '../port.ts';
import { deviceNumber, hexadecimal } from './devices.ts';
import { diskDeviceId, diskName, libxlConfig } from './domain-config.ts';
import { libxlError } from './errors.ts';
import { readableLog } from './log.ts';

/** What passes between the port's words and libxl's. None of it needs libxl. */

const driverDomain = 3 as DomainId;

test('a configuration becomes the JSON that libxl reads', (t) => {
  const json = libxlConfig({
    uuid: '7b1c2f6e-0000-4000-8000-000000000001' as DomainUuid,
    name: 'web',
    type: 'pvh',
    memory: bytes(256 * 2 ** 20),
    vcpus: 2,
    kernel: '/boot/vmlinuz',
    ramdisk: null,
    commandLine: 'console=hvc0',
    disks: [
      { vdev: 'xvda', path: '/dev/loop3', readOnly: true, backend: controlDomain, device: null },
      { vdev: 'xvdb', path: '/dev/loop0', readOnly: false, backend: driverDomain, device: '7:0' },
    ],
    nics: [{ index: 0, mac: '00:16:3e:00:00:01', bridge: 'xenbr0', backend: driverDomain }],
  });
  t.deepEqual(JSON.parse(json), {
    c_info: { type: 'pvh', name: 'web', uuid: '7b1c2f6e-0000-4000-8000-000000000001' },
    b_info: {
      max_vcpus: 2,
      avail_vcpus: [0, 1],
      max_memkb: 262_144,
      target_memkb: 262_144,
      claim_mode: 'True',
      kernel: '/boot/vmlinuz',
      cmdline: 'console=hvc0',
      'type.pvh': {},
    },
    disks: [
      {
        backend_domid: 0,
        pdev_path: '/dev/loop3',
        vdev: 'xvda',
        backend: 'phy',
        format: 'raw',
        script: '/bin/true',
        readwrite: 0,
      },
      {
        backend_domid: 3,
        pdev_path: '/dev/loop0',
        vdev: 'xvdb',
        backend: 'phy',
        format: 'raw',
        script: '/bin/true',
        readwrite: 1,
      },
    ],
    nics: [
      {
        backend_domid: 3,
        devid: 0,
        mac: '00:16:3e:00:00:01',
        bridge: 'xenbr0',
        script: '/bin/true',
        nictype: 'vif',
      },
    ],
    on_poweroff: 'preserve',
    on_reboot: 'preserve',
    on_watchdog: 'preserve',
    on_crash: 'preserve',
  });
});

test('a domain that backs devices of others is said to be a driver domain', (t) => {
  const plain = {
    uuid: '7b1c2f6e-0000-4000-8000-000000000001' as DomainUuid,
    name: 'storage',
    type: 'pvh',
    memory: bytes(256 * 2 ** 20),
    vcpus: 1,
    kernel: '/boot/vmlinuz',
    ramdisk: null,
    commandLine: '',
    disks: [],
    nics: [],
  } as const;
  const info = (config: DomainConfig) => JSON.parse(libxlConfig(config)).c_info;
  t.is(info({ ...plain, driverDomain: true }).driver_domain, 'True');
  t.false('driver_domain' in info({ ...plain, driverDomain: false }));
  t.false('driver_domain' in info(plain));
});

test('disks have the numbers that Linux gives to xvda, xvdb and xvdp', (t) => {
  t.deepEqual(['xvda', 'xvdb', 'xvdp'].map(diskDeviceId), [51712, 51728, 51952]);
  t.deepEqual([51712, 51728, 51952].map(diskName), ['xvda', 'xvdb', 'xvdp']);
});

test('device numbers come apart as glibc takes them apart', (t) => {
  t.deepEqual(deviceNumber(0x703), { major: 7, minor: 3 });
  t.deepEqual(deviceNumber(0x12345678), { major: 0x456, minor: 0x12378 });
});

test("a driver domain's device number is written as blkback reads it", (t) => {
  t.is(hexadecimal('7:10'), '7:a');
  t.is(hexadecimal('202:51712'), 'ca:ca00');
  for (const wrong of ['', '7', '7:', '0x7:1', '7:1 ', 'loop0', '7:1:1'])
    t.is(hexadecimal(wrong), null);
});

test('a domain that is built anew asks for the number that it had', (t) => {
  const config: DomainConfig = {
    ...{ uuid: '7b1c2f6e-0000-4000-8000-000000000001' as DomainUuid, name: 'storage' },
    ...{ type: 'pvh', memory: bytes(2 ** 27), vcpus: 1, kernel: '/k', ramdisk: null },
    ...{ commandLine: '', disks: [], nics: [] },
  };
  const { c_info } = JSON.parse(libxlConfig({ ...config, id: driverDomain }));
  t.is(c_info.domid, 3);
  t.false('domid' in JSON.parse(libxlConfig(config)).c_info);
});

test('a log loses the positions in the source that precede its messages', (t) => {
  const log = [
    'libxl: error: libxl_create.c:1250:initiate_domain_create: cannot make domain: -3',
    'xc: error: panic: xg_dom_core.c:689: xc_dom_find_loader: no loader found: Invalid kernel',
    '',
  ].join('\n');
  const readable = readableLog(log);
  t.regex(readable, /cannot make domain: -3; .*no loader found/);
  t.notRegex(readable, /libxl_create\.c/);
});

test('what libxl logged decides what the caller is told', (t) => {
  const code = (returned: number, log: string) =>
    libxlError('build web', { call: 'libxl_domain_create_new', code: returned, log }).code;
  t.is(code(-3, 'xc_dom_find_loader: no loader found'), 'boot-file-invalid');
  t.is(code(-3, 'failed to claim memory'), 'out-of-memory');
  t.is(code(-5, ''), 'out-of-memory');
  t.is(code(-21, ''), 'domain-not-found');
  t.is(code(-3, 'something else'), 'hypervisor-failed');
});

test('an error names the attempt, the function, its code and what was logged', (t) => {
  const { detail } = libxlError('destroy domain 4', {
    call: 'libxl_domain_destroy',
    code: -6,
    log: '',
  });
  t.is(
    detail,
    'cannot destroy domain 4: libxl_domain_destroy returned ERROR_INVAL: it logged nothing',
  );
});
