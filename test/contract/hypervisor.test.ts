import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { milliseconds } from '../../base/units.ts';
import type { Hypervisor } from '../../hypervisor/port.ts';
import {
  connectSimulated,
  createSimulated,
  runSimulatedHypervisor,
} from '../../hypervisor/simulated/index.ts';
import { hypervisorContract } from './hypervisor.ts';
import type { ContractSubject } from './hypervisor-subject.ts';

async function simulatedSubject(
  directory: string,
  hypervisor: Hypervisor,
  reconnect: ContractSubject['reconnect'],
): Promise<ContractSubject> {
  const kernel = join(directory, 'vmlinuz');
  const diskPath = join(directory, 'disk.raw');
  await writeFile(kernel, 'a simulated kernel');
  await writeFile(diskPath, '');
  return {
    hypervisor,
    kind: 'simulated',
    type: 'pv',
    kernel,
    ramdisk: null,
    commandLine: 'console=hvc0',
    diskPath,
    bridge: 'flotilla0',
    joinBridge: () => Promise.resolve(),
    lines: {
      first: /Linux version/,
      devices: [/blkfront: xvda/, /eth0: 00:16:3e:5a:00:01/],
      up: /login: /,
      tried: /disk xvda: wrote and read back/,
      drained: /^drained/m,
    },
    guestDevice: '202:0',
    patience: milliseconds(20_000),
    reconnect,
  };
}

for (const { title, run, reconnects } of hypervisorContract) {
  const inProcess = reconnects === true ? test.skip : test;
  inProcess(`simulated, in this process: ${title}`, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'hypervisor-'));
    const hypervisor = createSimulated();
    await run(await simulatedSubject(directory, hypervisor, null));
    await hypervisor.close();
    await rm(directory, { recursive: true });
    t.pass();
  });

  test(`simulated, behind its socket: ${title}`, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'hypervisor-'));
    const socketPath = join(directory, 'hypervisor.sock');
    const daemon = await runSimulatedHypervisor({ socketPath });
    if (!daemon.ok) return t.fail(daemon.error);
    const hypervisor = connectSimulated(socketPath);
    const reconnect = async (): Promise<Hypervisor> => {
      await hypervisor.close();
      return connectSimulated(socketPath);
    };
    await run(await simulatedSubject(directory, hypervisor, reconnect));
    await hypervisor.close();
    await daemon.value.close();
    await rm(directory, { recursive: true });
    return t.pass();
  });
}
