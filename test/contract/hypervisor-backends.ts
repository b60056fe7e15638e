import assert from 'node:assert/strict';
import {
  controlDomain,
  type DiskConfig,
  type DomainConfig,
  type DomainId,
} from '../../hypervisor/port.ts';
import {
  bootable,
  type ContractCase,
  type ContractSubject,
  error,
  find,
  ownBackend,
  Transcript,
  value,
  withDomain,
} from './hypervisor-subject.ts';

/** A domain of this number does not exist: Xen gives out numbers from the bottom. */
const nobody = 30_000 as DomainId;

/** A guest that serves its own disk to others: it has a backend of disks and one of NICs. */
function driverConfig(subject: ContractSubject): DomainConfig {
  const disk = { vdev: 'xvda', path: subject.diskPath, readOnly: false, ...ownBackend };
  return bootable(subject, {
    commandLine: `${subject.commandLine} flotilla.serve`,
    disks: [disk],
  });
}

/** A driver domain that serves. */
interface Driver {
  readonly id: DomainId;
  /** Has it let go of the disks that it serves, as before an end in good order. */
  drain(): Promise<void>;
}

/** Builds a driver domain, lets it run, and waits until it serves. */
async function startDriver(subject: ContractSubject, config: DomainConfig): Promise<Driver> {
  const { hypervisor, lines, patience } = subject;
  const id = value(await hypervisor.createDomain(config));
  for (const disk of config.disks) value(await hypervisor.connectDisk(id, disk));
  const console = value(await hypervisor.openConsole(id));
  const transcript = new Transcript(console, patience);
  value(await hypervisor.unpause(id));
  await transcript.sees(lines.up);
  return {
    id,
    drain: async () => {
      console.write(Buffer.from('drain\n'));
      await transcript.sees(lines.drained);
    },
  };
}

/** The disk and the NIC of a guest that `backend` serves. */
function served(subject: ContractSubject, backend: DomainId) {
  const disk: DiskConfig = {
    ...{ vdev: 'xvda', path: '/dev/xvda', readOnly: false },
    ...{ backend, device: subject.guestDevice },
  };
  const nic = { index: 0, mac: '00:16:3e:5a:00:01', bridge: subject.bridge, backend };
  return { disk, nic };
}

async function connect(
  { hypervisor }: ContractSubject,
  id: DomainId,
  disk: DiskConfig,
): Promise<void> {
  value(await hypervisor.connectDisk(id, disk));
  assert.equal(value(await hypervisor.nicInterface(id, 0)), `vif${id}.0`);
  value(await hypervisor.connectNic(id, 0));
}

/** What is promised about devices that another domain than the control domain serves. */
export const backendCases: readonly ContractCase[] = [
  {
    title: 'a guest uses the disk and the NIC that another guest serves',
    run: async (subject) => {
      const { hypervisor, lines, patience } = subject;
      const { id: driver } = await startDriver(subject, driverConfig(subject));
      try {
        const { disk, nic } = served(subject, driver);
        const config = bootable(subject, { disks: [disk], nics: [nic] });
        await withDomain(subject, config, async (id) => {
          const unserved = async () => value(await hypervisor.unservedDevices(id));
          assert.deepEqual(await unserved(), { disks: ['xvda'], nics: [0] });
          for (const _ of ['once', 'twice']) await connect(subject, id, disk);
          assert.deepEqual(await unserved(), { disks: [], nics: [] });
          const console = value(await hypervisor.openConsole(id));
          const transcript = new Transcript(console, patience);
          value(await hypervisor.unpause(id));
          for (const line of lines.devices) await transcript.sees(line);
        });
        assert.equal(await find(hypervisor, config.uuid), undefined);
      } finally {
        await hypervisor.destroyDomain(driver);
      }
    },
  },
  {
    title: 'a driver domain that is built anew under its number serves its guests again',
    run: async (subject) => {
      const { hypervisor, lines, patience } = subject;
      const first = driverConfig(subject);
      const { id: driver, drain } = await startDriver(subject, first);
      try {
        const { disk, nic } = served(subject, driver);
        const config = bootable(subject, { disks: [disk], nics: [nic] });
        await withDomain(subject, config, async (id) => {
          await connect(subject, id, disk);
          const console = value(await hypervisor.openConsole(id));
          const transcript = new Transcript(console, patience);
          value(await hypervisor.unpause(id));
          await transcript.sees(lines.up);
          await drain();
          value(await hypervisor.destroyDomain(driver));
          const unserved = async () => value(await hypervisor.unservedDevices(id));
          assert.deepEqual(await unserved(), { disks: ['xvda'], nics: [0] });
          const gone = error(await hypervisor.connectDisk(id, disk));
          assert.equal(gone.code, 'device-unavailable');
          assert.match(gone.detail, new RegExp(`domain ${driver}\\b`));
          assert.equal((await startDriver(subject, { ...first, id: driver })).id, driver);
          await connect(subject, id, disk);
          assert.deepEqual(await unserved(), { disks: [], nics: [] });
          console.write(Buffer.from('try xvda\n'));
          await transcript.sees(lines.tried);
          // Once more, without an end in good order: the disk is lost, the interface is not.
          value(await hypervisor.destroyDomain(driver));
          await startDriver(subject, { ...first, id: driver });
          const lost = error(await hypervisor.connectDisk(id, disk));
          assert.equal(lost.code, 'device-unavailable');
          assert.match(lost.detail, /unfinished/);
          assert.equal(value(await hypervisor.nicInterface(id, 0)), `vif${id}.0`);
          value(await hypervisor.connectNic(id, 0));
        });
      } finally {
        await hypervisor.destroyDomain(driver);
      }
    },
  },
  {
    title: 'a device whose backend is no domain of this host is refused, and the domain is named',
    run: async (subject) => {
      const { disk, nic } = served(subject, nobody);
      for (const devices of [{ disks: [disk] }, { nics: [nic] }]) {
        const config = bootable(subject, devices);
        const refused = error(await subject.hypervisor.createDomain(config));
        assert.equal(refused.code, 'device-unavailable');
        assert.match(refused.detail, /domain 30000/);
        assert.equal(await find(subject.hypervisor, config.uuid), undefined);
      }
    },
  },
  {
    title: 'a disk of another backend than the one that it was built with is not connected',
    run: async (subject) => {
      const { hypervisor, diskPath } = subject;
      const disk = { vdev: 'xvda', path: diskPath, readOnly: false, ...ownBackend };
      await withDomain(subject, bootable(subject), async (other) => {
        await withDomain(subject, bootable(subject, { disks: [disk] }), async (id) => {
          const elsewhere = { ...disk, backend: other, device: subject.guestDevice };
          const refused = error(await hypervisor.connectDisk(id, elsewhere));
          assert.equal(refused.code, 'device-unavailable');
          assert.match(refused.detail, /xvda/);
          value(await hypervisor.connectDisk(id, disk));
        });
        const numberless = { ...disk, backend: other };
        const refused = error(
          await hypervisor.createDomain(bootable(subject, { disks: [numberless] })),
        );
        assert.equal(refused.code, 'device-unavailable');
        assert.match(refused.detail, /number/);
      });
    },
  },
  {
    title: 'a number that a domain has is not given to a second one',
    run: async (subject) => {
      await withDomain(subject, bootable(subject), async (id) => {
        const again = bootable(subject, { id });
        const refused = error(await subject.hypervisor.createDomain(again));
        assert.equal(refused.code, 'domain-exists');
        assert.equal(await find(subject.hypervisor, again.uuid), undefined);
        const control = bootable(subject, { id: controlDomain });
        assert.equal(error(await subject.hypervisor.createDomain(control)).code, 'domain-exists');
      });
    },
  },
];
