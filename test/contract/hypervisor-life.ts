import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DomainId } from '../../hypervisor/port.ts';
import {
  bootable,
  type ContractCase,
  type ContractSubject,
  error,
  find,
  ownBackend,
  Transcript,
  until,
  value,
  withDomain,
} from './hypervisor-subject.ts';

/** A domain of this number does not exist: Xen gives out numbers from the bottom. */
const nobody = 30_000 as DomainId;

/** The guest is up when it stops as it was asked, and stays stopped until it is destroyed. */
async function stops(subject: ContractSubject, reason: 'poweroff' | 'reboot'): Promise<void> {
  const { hypervisor, lines, patience } = subject;
  const config = bootable(subject);
  await withDomain(subject, config, async (id) => {
    const transcript = new Transcript(value(await hypervisor.openConsole(id)), patience);
    value(await hypervisor.unpause(id));
    await transcript.sees(lines.up);
    value(await hypervisor.requestShutdown(id, reason));
    await until(subject, config.uuid, (domain) => domain?.state.kind === 'shutdown');
    const domain = await find(hypervisor, config.uuid);
    assert.deepEqual(domain?.state, { kind: 'shutdown', reason });
    assert.equal(domain?.id, id);
  });
}

/** What is promised about the life of a domain. */
export const lifeCases: readonly ContractCase[] = [
  {
    title: 'pausing and unpausing change the state, and doing it twice changes nothing more',
    run: async (subject) => {
      const { hypervisor } = subject;
      const config = bootable(subject);
      const state = async () => (await find(hypervisor, config.uuid))?.state.kind;
      await withDomain(subject, config, async (id) => {
        for (const _ of ['once', 'twice']) {
          value(await hypervisor.unpause(id));
          assert.equal(await state(), 'running');
        }
        for (const _ of ['once', 'twice']) {
          value(await hypervisor.pause(id));
          assert.equal(await state(), 'paused');
        }
        value(await hypervisor.unpause(id));
        assert.equal(await state(), 'running');
      });
    },
  },
  {
    title: 'a guest that is asked to power off stops, and its domain stays until it is destroyed',
    run: (subject) => stops(subject, 'poweroff'),
  },
  {
    title: 'a guest that is asked to reboot stops, and nobody starts it again',
    run: (subject) => stops(subject, 'reboot'),
  },
  {
    title: 'a destroyed domain is gone, its console ends, and its UUID can be used again',
    run: async (subject) => {
      const { hypervisor, patience } = subject;
      const config = bootable(subject);
      const first = value(await hypervisor.createDomain(config));
      const transcript = new Transcript(value(await hypervisor.openConsole(first)), patience);
      value(await hypervisor.unpause(first));
      value(await hypervisor.destroyDomain(first));
      assert.equal(await find(hypervisor, config.uuid), undefined);
      await transcript.ends();
      await withDomain(subject, config, async (second) => {
        assert.notEqual(second, first);
      });
    },
  },
  {
    title: 'domains are built and destroyed side by side',
    run: async (subject) => {
      const { hypervisor } = subject;
      const old = value(await hypervisor.createDomain(bootable(subject)));
      const [destroyed, ...built] = await Promise.all([
        hypervisor.destroyDomain(old),
        hypervisor.createDomain(bootable(subject)),
        hypervisor.createDomain(bootable(subject)),
      ]);
      for (const id of built.map(value)) value(await hypervisor.destroyDomain(id));
      value(destroyed);
    },
  },
  {
    title: 'every call about a domain that does not exist says so',
    run: async ({ hypervisor, diskPath }) => {
      const disk = { vdev: 'xvda', path: diskPath, readOnly: false, ...ownBackend };
      const answers = [
        await hypervisor.unpause(nobody),
        await hypervisor.pause(nobody),
        await hypervisor.requestShutdown(nobody, 'poweroff'),
        await hypervisor.connectDisk(nobody, disk),
        await hypervisor.nicInterface(nobody, 0),
        await hypervisor.connectNic(nobody, 0),
        await hypervisor.unservedDevices(nobody),
        await hypervisor.openConsole(nobody),
        await hypervisor.destroyDomain(nobody),
      ];
      for (const answer of answers) {
        assert.equal(error(answer).code, 'domain-not-found');
        assert.match(error(answer).detail, /30000/);
      }
    },
  },
  {
    title: 'a watcher hears of a domain that appears, changes and goes, until it stops',
    run: async (subject) => {
      const { hypervisor, patience } = subject;
      const heard: DomainId[] = [];
      const stop = hypervisor.watch((id) => heard.push(id));
      const hears = async (id: DomainId): Promise<void> => {
        for (let waited = 0; waited < patience && !heard.includes(id); waited += 50)
          await sleep(50);
        assert.ok(heard.includes(id), 'nothing was heard');
      };
      const id = value(await hypervisor.createDomain(bootable(subject)));
      await hears(id);
      for (const change of [hypervisor.unpause, hypervisor.pause, hypervisor.destroyDomain]) {
        heard.length = 0;
        value(await change(id));
        await hears(id);
      }
      stop();
      heard.length = 0;
      await withDomain(subject, bootable(subject), async () => {});
      assert.deepEqual(heard, []);
    },
  },
  {
    title: 'domains run on when their caller lets go of the hypervisor and comes back',
    reconnects: true,
    run: async (subject) => {
      assert.ok(subject.reconnect !== null);
      const config = bootable(subject);
      const id = value(await subject.hypervisor.createDomain(config));
      value(await subject.hypervisor.unpause(id));
      const other = await subject.reconnect();
      const domain = await find(other, config.uuid);
      assert.equal(domain?.id, id);
      assert.deepEqual(domain?.state, { kind: 'running' });
      value(await other.destroyDomain(id));
      await other.close();
    },
  },
];
