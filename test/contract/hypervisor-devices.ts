import assert from 'node:assert/strict';
import { controlDomain } from '../../hypervisor/port.ts';
import {
  bootable,
  type ContractCase,
  error,
  ownBackend,
  Transcript,
  value,
  withDomain,
} from './hypervisor-subject.ts';

const nic = { index: 0, mac: '00:16:3e:5a:00:01', backend: controlDomain };

/** What is promised about devices and consoles. */
export const deviceCases: readonly ContractCase[] = [
  {
    title: 'a guest finds the disk and the NIC that were connected, and answers what is typed',
    run: async (subject) => {
      const { hypervisor, bridge, diskPath, lines, patience } = subject;
      const disk = { vdev: 'xvda', path: diskPath, readOnly: false, ...ownBackend };
      const config = bootable(subject, { disks: [disk], nics: [{ ...nic, bridge }] });
      await withDomain(subject, config, async (id) => {
        value(await hypervisor.connectDisk(id, disk));
        const name = value(await hypervisor.nicInterface(id, 0));
        assert.equal(name, `vif${id}.0`);
        await subject.joinBridge(name);
        value(await hypervisor.connectNic(id, 0));
        const console = value(await hypervisor.openConsole(id));
        const transcript = new Transcript(console, patience);
        value(await hypervisor.unpause(id));
        await transcript.sees(lines.first);
        for (const line of lines.devices) await transcript.sees(line);
        await transcript.sees(lines.up);
        console.write(Buffer.from('a line of its own\n'));
        await transcript.sees(/a line of its own/);
      });
    },
  },
  {
    title: 'connecting a device twice is as good as once',
    run: async (subject) => {
      const { hypervisor, bridge, diskPath } = subject;
      const disk = { vdev: 'xvdb', path: diskPath, readOnly: true, ...ownBackend };
      const config = bootable(subject, { disks: [disk], nics: [{ ...nic, bridge }] });
      await withDomain(subject, config, async (id) => {
        for (const _ of ['once', 'twice']) {
          value(await hypervisor.connectDisk(id, disk));
          await subject.joinBridge(value(await hypervisor.nicInterface(id, 0)));
          value(await hypervisor.connectNic(id, 0));
        }
      });
    },
  },
  {
    title: 'a device that the domain was built without cannot be connected',
    run: async (subject) => {
      const { hypervisor, diskPath } = subject;
      await withDomain(subject, bootable(subject), async (id) => {
        const disk = { vdev: 'xvda', path: diskPath, readOnly: false, ...ownBackend };
        for (const answer of [
          await hypervisor.connectDisk(id, disk),
          await hypervisor.nicInterface(id, 0),
          await hypervisor.connectNic(id, 0),
        ])
          assert.equal(error(answer).code, 'device-unavailable');
      });
    },
  },
  {
    title: 'two consoles see the same, and closing one disturbs neither the other nor the guest',
    run: async (subject) => {
      const { hypervisor, lines, patience } = subject;
      await withDomain(subject, bootable(subject), async (id) => {
        const closing = value(await hypervisor.openConsole(id));
        const staying = value(await hypervisor.openConsole(id));
        const first = new Transcript(closing, patience);
        const second = new Transcript(staying, patience);
        value(await hypervisor.unpause(id));
        await first.sees(lines.first);
        closing.close();
        await second.sees(lines.first);
        await second.sees(lines.up);
      });
    },
  },
];
