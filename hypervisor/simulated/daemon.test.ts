import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { bytes, milliseconds } from '../../base/units.ts';
import type { DomainConfig, DomainId, DomainUuid } from '../port.ts';
import { connectSimulated, runSimulatedHypervisor } from './index.ts';

const config: DomainConfig = {
  uuid: '7b1c2f6e-0000-4000-8000-000000000001' as DomainUuid,
  name: 'web',
  type: 'pvh',
  memory: bytes(64 * 2 ** 20),
  vcpus: 1,
  kernel: '',
  ramdisk: null,
  commandLine: '',
  disks: [],
  nics: [],
};

async function withSocket(use: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'simulated-'));
  await use(join(directory, 'hypervisor.sock'));
  await rm(directory, { recursive: true });
}

async function daemonAt(socketPath: string) {
  const daemon = await runSimulatedHypervisor({ socketPath });
  if (!daemon.ok) throw new Error(daemon.error);
  return daemon.value;
}

test('while no daemon serves the socket, calls say so and name it', (t) =>
  withSocket(async (path) => {
    const hypervisor = connectSimulated(path);
    const listed = await hypervisor.listDomains();
    t.is(listed.ok ? null : listed.error.code, 'hypervisor-unavailable');
    t.true(!listed.ok && listed.error.detail.includes(path));
    await hypervisor.close();
  }));

test('a second daemon is refused, and one takes over the socket that a killed one left', (t) =>
  withSocket(async (path) => {
    const main = fileURLToPath(new URL('../../main.ts', import.meta.url));
    const configuration = `${path}.json`;
    await writeFile(configuration, JSON.stringify({ socket: path, memory: 2 ** 30, cpus: 2 }));
    const command = ['simulated-hypervisor', '--config', configuration];
    const first = spawn(process.execPath, [main, ...command]);
    await once(first.stdout, 'data');
    t.false((await runSimulatedHypervisor({ socketPath: path })).ok);
    first.kill('SIGKILL');
    await once(first, 'exit');
    const daemon = await daemonAt(path);
    await daemon.close();
  }));

test('domains outlive the connection, and end with the daemon, of which a watcher hears', (t) =>
  withSocket(async (path) => {
    const first = await daemonAt(path);
    const short = connectSimulated(path);
    const built = await short.createDomain(config);
    t.true(built.ok);
    await short.close();

    const hypervisor = connectSimulated(path);
    const heard: DomainId[] = [];
    hypervisor.watch((id) => heard.push(id));
    const hears = async () => {
      for (let pause = 0; pause < 400 && heard.length === 0; pause += 1) await sleep(25);
      t.deepEqual([...new Set(heard)], [built.ok ? built.value : null]);
      heard.length = 0;
    };
    await hears();
    const listed = await hypervisor.listDomains();
    t.is(listed.ok ? listed.value.length : null, 1);
    await first.close();
    const second = await daemonAt(path);
    await hears();
    const after = await hypervisor.listDomains();
    t.deepEqual(after, { ok: true, value: [] });
    await hypervisor.close();
    await second.close();
  }));

test('a call that hangs ends with the time-out, and the next one is served', (t) =>
  withSocket(async (path) => {
    const daemon = await daemonAt(path);
    const hypervisor = connectSimulated(path, milliseconds(1000));
    const effect = { kind: 'call-hangs', call: 'info' } as const;
    t.true((await hypervisor.inject({ effect, uuid: null, times: 1 })).ok);
    const hung = await hypervisor.info();
    t.is(hung.ok ? null : hung.error.code, 'hypervisor-unavailable');
    t.true((await hypervisor.info()).ok);
    await hypervisor.close();
    await daemon.close();
  }));

test('a console that breaks ends, and can be opened again while the domain runs', (t) =>
  withSocket(async (path) => {
    const daemon = await daemonAt(path);
    const hypervisor = connectSimulated(path);
    const built = await hypervisor.createDomain(config);
    if (!built.ok) return t.fail(built.error.detail);
    await hypervisor.inject({ effect: { kind: 'console-breaks' }, uuid: null, times: 1 });
    const first = await hypervisor.openConsole(built.value);
    if (!first.ok) return t.fail(first.error.detail);
    const ended = new Promise<void>((resolve) => first.value.onEnd(resolve));
    await hypervisor.unpause(built.value);
    await ended;
    const second = await hypervisor.openConsole(built.value);
    if (!second.ok) return t.fail(second.error.detail);
    const printed = new Promise<Uint8Array>((resolve) => second.value.onData(resolve));
    t.true((await printed).length > 0);
    await hypervisor.close();
    return daemon.close();
  }));

test('arguments outside their bounds are refused with the field that is wrong', (t) =>
  withSocket(async (path) => {
    const daemon = await daemonAt(path);
    const hypervisor = connectSimulated(path);
    const refused = await hypervisor.createDomain({ ...config, vcpus: 0 });
    t.is(refused.ok ? null : refused.error.code, 'unsupported');
    t.regex(refused.ok ? '' : refused.error.detail, /vcpus/);
    await hypervisor.close();
    await daemon.close();
  }));

test('a peer that breaks the protocol loses its connection, and nobody else does', (t) =>
  withSocket(async (path) => {
    const daemon = await daemonAt(path);
    const hypervisor = connectSimulated(path);
    t.true((await hypervisor.info()).ok);
    const stranger = connect(path);
    stranger.on('error', () => undefined);
    stranger.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    await once(stranger, 'close');
    t.true((await hypervisor.info()).ok);
    await hypervisor.close();
    await daemon.close();
  }));
