import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytes } from '../../base/units.ts';
import {
  bootable,
  type ContractCase,
  error,
  find,
  Transcript,
  until,
  untilFree,
  value,
  withDomain,
} from './hypervisor-subject.ts';

/** Ends the worker that holds libxl, wherever it stands: the one child that this process has. */
function killWorker(): void {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => parentOf(pid) === String(process.pid));
  assert.equal(children.length, 1, `children: ${children.join(' ')}`);
  process.kill(Number(children[0]), 'SIGKILL');
}

/** The fourth field of /proc/PID/stat; '' when the process has just ended. */
function parentOf(pid: string): string {
  try {
    return (
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) \S /, '')
        .split(' ')[0] ?? ''
    );
  } catch {
    return '';
  }
}

/** What is promised of Xen alone: that libxl's failures are told apart, and its worker's survived. */
export const xenCases: readonly ContractCase[] = [
  {
    title: 'a kernel that is none is named, and nothing is left of the domain',
    run: async (subject) => {
      const kernel = join(tmpdir(), 'no-kernel');
      writeFileSync(kernel, 'this is not a kernel '.repeat(1000));
      const before = value(await subject.hypervisor.info()).memoryFree;
      const config = bootable(subject, { kernel });
      const refused = error(await subject.hypervisor.createDomain(config));
      assert.equal(refused.code, 'boot-file-invalid', refused.detail);
      assert.match(refused.detail, /kernel/);
      assert.equal(await find(subject.hypervisor, config.uuid), undefined);
      await untilFree(subject, before);
    },
  },
  {
    title: 'of two domains that fit only one by one, one is built and the other is refused',
    run: async (subject) => {
      const { hypervisor } = subject;
      const before = value(await hypervisor.info()).memoryFree;
      const memory = bytes(Math.floor((before * 0.6) / 2 ** 20) * 2 ** 20);
      const both = await Promise.all([
        hypervisor.createDomain(bootable(subject, { memory })),
        hypervisor.createDomain(bootable(subject, { memory })),
      ]);
      for (const built of both) if (built.ok) value(await hypervisor.destroyDomain(built.value));
      const codes = both.flatMap((built) => (built.ok ? [] : [built.error]));
      assert.equal(codes.length, 1);
      assert.equal(codes[0]?.code, 'out-of-memory', codes[0]?.detail);
      await untilFree(subject, before);
    },
  },
  {
    title: 'a worker killed while it builds leaves a domain that is found and can be destroyed',
    run: async (subject) => {
      const { hypervisor } = subject;
      const before = value(await hypervisor.info()).memoryFree;
      // Wherever the worker is when it is killed, the same is promised.
      for (const delay of [50, 150, 300, 600, 1200]) {
        const config = bootable(subject);
        const building = hypervisor.createDomain(config);
        await sleep(delay);
        killWorker();
        const built = await building;
        assert.equal(built.ok ? 'built' : built.error.code, 'hypervisor-unavailable');
        const left = await find(hypervisor, config.uuid);
        if (left !== undefined) {
          assert.notEqual(left.state.kind, 'running');
          value(await hypervisor.destroyDomain(left.id));
        }
        assert.equal(await find(hypervisor, config.uuid), undefined);
        await untilFree(subject, before);
        await withDomain(subject, config, async () => {});
      }
    },
  },
  {
    title: 'a domain has had none of the processors before it runs, and some when it has',
    run: async (subject) => {
      const config = bootable(subject);
      await withDomain(subject, config, async (id) => {
        const built = (await find(subject.hypervisor, config.uuid))?.processor;
        assert.deepEqual(built, { had: 0, waits: false });
        value(await subject.hypervisor.unpause(id));
        await until(subject, config.uuid, (domain) => (domain?.processor?.had ?? 0) > 0);
      });
    },
  },
  {
    title: 'a watcher hears of a guest that crashes, though its worker was killed meanwhile',
    run: async (subject) => {
      const { hypervisor, lines, patience } = subject;
      const config = bootable(subject);
      await withDomain(subject, config, async (id) => {
        const heard = new Set<number>();
        const stop = hypervisor.watch((changed) => heard.add(changed));
        const first = value(await hypervisor.openConsole(id));
        const before = new Transcript(first, patience);
        value(await hypervisor.unpause(id));
        await before.sees(lines.up);
        killWorker();
        await before.ends();
        const console = value(await hypervisor.openConsole(id));
        console.write(Buffer.from('crash\n'));
        await until(subject, config.uuid, (domain) => domain?.state.kind === 'shutdown');
        assert.deepEqual((await find(hypervisor, config.uuid))?.state, {
          kind: 'shutdown',
          reason: 'crash',
        });
        assert.ok(heard.has(id));
        stop();
      });
    },
  },
];
