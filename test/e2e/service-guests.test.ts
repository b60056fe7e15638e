import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp2 } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { bytes } from '../../base/units.ts';
import type { Domain, DomainId } from '../../hypervisor/port.ts';
import {
  connectSimulated,
  runSimulatedHypervisor,
  type SimulatedHypervisor,
} from '../../hypervisor/simulated/index.ts';
import { sha256Of } from '../../pool/images/digest.ts';
import { askSupervisor } from '../../pool/supervision/ask.ts';
import type { Supervised } from '../../pool/supervision/messages.ts';
import { guestUuid } from '../../services/vm-lifecycle/service-guests/adapters/identity.ts';
import { pretendManifest, signingKey, writeImage } from '../fixtures/images.ts';
import { eventually, type Ran } from './pool-process.ts';

const program = join(import.meta.dirname, '..', '..', 'main.ts');
const hostId = '5cbe1b5c-0f0e-4a39-8a4e-111111111111';
const key = signingKey('builder');

/** Images are built for the machine of the host. */
const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

/** What stands for a guest's service: it answers until it is made to hang. */
class StandIn {
  readonly #server: Server = createHttp2();
  readonly #sockets = new Set<Socket>();

  async listen(): Promise<number> {
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on it takes connections and says nothing, as a program does that hangs. */
  hang(): () => void {
    const listeners = this.#server.listeners('connection');
    this.#server.removeAllListeners('connection');
    return () => {
      for (const each of listeners) this.#server.on('connection', each as () => void);
    };
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/** A simulated host with signed stand-in images, and its supervisor as a process. */
class GuestHost {
  readonly directory = mkdtempSync(join(tmpdir(), 'flotilla-guests-'));
  readonly #socket = join(this.directory, 'service-guests.sock');
  readonly #configuration = join(this.directory, 'service-guests.json');
  readonly services = ['consensus', 'network', 'storage'] as const;
  readonly standIns = new Map<string, StandIn>();
  #closeHypervisor: () => Promise<void> = () => Promise.resolve();
  #hypervisor: SimulatedHypervisor | null = null;
  #supervisor: ChildProcess | null = null;
  output = '';

  async begin(): Promise<void> {
    const socket = join(this.directory, 'hypervisor.sock');
    const daemon = await runSimulatedHypervisor({ socketPath: socket });
    if (!daemon.ok) throw new Error(daemon.error);
    this.#closeHypervisor = daemon.value.close;
    this.#hypervisor = connectSimulated(socket);
    writeFileSync(join(this.directory, 'builder.pem'), key.publicKey.pem);
    const guests: object[] = [];
    for (const [index, service] of this.services.entries())
      guests.push(await this.#guest(service, index));
    writeFileSync(
      this.#configuration,
      JSON.stringify({
        hostId,
        hostName: 'host-1',
        hypervisor: { kind: 'simulated', socket },
        dataDir: join(this.directory, 'guests'),
        socket: this.#socket,
        trustedKeys: [join(this.directory, 'builder.pem')],
        guests,
      }),
    );
  }

  async #guest(service: (typeof this.services)[number], index: number): Promise<object> {
    const standIn = new StandIn();
    this.standIns.set(service, standIn);
    const ports = [{ port: await standIn.listen(), protocol: 'tcp' as const, purpose: 'gRPC' }];
    const image = join(this.directory, 'images', service);
    await writeImage(image, { manifest: pretendManifest({ service, ports, architecture }), key });
    const seed = join(this.directory, 'seeds', service);
    mkdirSync(seed, { recursive: true });
    writeFileSync(join(seed, 'service.json'), '{}');
    return {
      service,
      image,
      memory: bytes(128 * 2 ** 20),
      data: { path: join(this.directory, 'data', `${service}.img`), size: bytes(16 * 2 ** 20) },
      seed,
      nics: [{ mac: `00:16:3e:00:00:0${index}`, bridge: 'xenbr0' }],
      address: '127.0.0.1/8',
      patience: { hangSeconds: 1, stopSeconds: 5 },
      driverDomain: service !== 'consensus',
    };
  }

  get hypervisor(): SimulatedHypervisor {
    if (this.#hypervisor === null) throw new Error('the host has not begun');
    return this.#hypervisor;
  }

  /** Starts the supervisor; `kill` ends it as a crash does. */
  supervise(): void {
    this.output = '';
    const child = spawn(
      process.execPath,
      [program, 'service-guests', '--config', this.#configuration],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => {
        this.output += data.toString();
      });
    this.#supervisor = child;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#supervisor;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
    this.#supervisor = null;
  }

  async status(service: string): Promise<Supervised | undefined> {
    const answer = await askSupervisor(this.#socket, { ask: 'status' });
    if (!answer.ok || answer.value.kind !== 'status') return undefined;
    return answer.value.services.find((each) => each.service === service);
  }

  /** The domain of a service that serves, once this supervisor has started it so often. */
  async serving(service: string, starts = 0): Promise<DomainId> {
    const status = await eventually(
      () => this.status(service),
      (found) => found?.state === 'serving' && found.starts >= starts,
      `${service} serves\n${this.output}\n`,
    );
    return status?.id as DomainId;
  }

  async domains(service?: string): Promise<readonly Domain[]> {
    const listed = await this.hypervisor.listDomains();
    if (!listed.ok) throw new Error(listed.error.detail);
    if (service === undefined) return listed.value;
    return listed.value.filter(({ uuid }) => uuid === guestUuid(hostId, service));
  }

  run(...command: readonly string[]): Promise<Ran> {
    const words = [program, 'service-guests', ...command, '--config', this.#configuration];
    return new Promise((resolve) => {
      execFile(process.execPath, words, { timeout: 90_000 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
    });
  }

  async dispose(): Promise<void> {
    await this.kill();
    await this.hypervisor.close();
    await this.#closeHypervisor();
    for (const standIn of this.standIns.values()) standIn.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

test("a host's guests are started, adopted after a kill, started again, and refused when changed", async (t) => {
  t.timeout(300_000);
  const host = new GuestHost();
  t.teardown(() => host.dispose());
  await host.begin();
  host.supervise();

  // In order, each with its disks and its interface.
  const first = await host.serving('consensus');
  const ids = [first, await host.serving('network'), await host.serving('storage')] as const;
  t.deepEqual(
    [...ids],
    [...ids].sort((a, b) => a - b),
  );
  t.deepEqual(
    (await host.domains()).map(({ name, state }) => [name, state.kind]),
    host.services.map((service) => [`flotilla-${service}`, 'running']),
  );
  const devices = await host.hypervisor.connectedDevices(ids[0]);
  t.like(devices, {
    value: {
      disks: [
        { vdev: 'xvda', path: join(host.directory, 'data', 'consensus.img'), readOnly: false },
        {
          vdev: 'xvdb',
          path: join(host.directory, 'guests', 'consensus', 'seed.img'),
          readOnly: true,
        },
      ],
      nics: [0],
    },
  });

  // A second supervisor touches nothing.
  const second = await host.run();
  t.is(second.code, 1);
  t.regex(second.stderr, /another supervisor serves/);

  // One that was killed is followed by one that finds them all.
  await host.kill();
  host.supervise();
  const adopted = [];
  for (const service of host.services) adopted.push(await host.serving(service));
  t.deepEqual(adopted, [...ids]);
  t.regex(host.output, /runs already, as domain/);
  t.is((await host.domains()).length, 3);

  // A guest that crashes is started again, and the others are left alone. The network guest is a driver
  // domain: it takes the number that it had, which its guests' grants are made out to.
  const console = await host.hypervisor.openConsole(ids[1]);
  if (!console.ok) return t.fail(console.error.detail);
  console.value.write(Buffer.from('crash\r'));
  t.is(await host.serving('network', 1), ids[1]);
  t.is((await host.domains('network')).length, 1);
  t.regex(host.output, /it stopped \(crash\)/);

  // One that hangs is destroyed, and started again.
  const heal = host.standIns.get('storage')?.hang();
  await eventually(
    () => host.status('storage'),
    (found) => found?.state !== 'serving',
    'the hung guest is destroyed',
  );
  heal?.();
  t.is(await host.serving('storage', 1), ids[2]);
  t.regex(host.output, /it was silent for 1 s/);

  // The operator starts one anew, and is told how long it was away.
  const restarted = await host.run('restart', 'consensus');
  t.is(restarted.code, 0, restarted.stderr);
  t.regex(
    restarted.stdout,
    /is asked to stop.*runs, as domain.*serves again; it was away for [\d.]+ s/s,
  );
  t.not(await host.serving('consensus', 1), ids[0]);

  // One bit changed in a kernel: it doesn't start, and says why.
  const kernel = join(host.directory, 'images', 'consensus', 'vmlinuz');
  const signed = readFileSync(kernel);
  const changed = Buffer.from(signed);
  changed.writeUInt8(changed.readUInt8(0) ^ 1, 0);
  writeFileSync(kernel, changed);
  const refused = await host.run('restart', 'consensus');
  t.is(refused.code, 1);
  t.true(
    refused.stderr.includes(
      `vmlinuz (kernel): expected SHA-256 ${sha256Of(signed)}, found ${sha256Of(changed)}`,
    ),
    refused.stderr,
  );
  t.like(await host.status('consensus'), { state: 'refused', id: null });
  t.deepEqual(await host.domains('consensus'), []);
  const status = await host.run('status');
  t.regex(status.stdout, /^consensus {2}refused {2}- {2}.*vmlinuz/m);
  t.regex(status.stdout, new RegExp(`^network  serving  domain ${ids[1]}$`, 'm'));
  t.regex(status.stdout, new RegExp(`^storage  serving  domain ${ids[2]}$`, 'm'));

  // Put right, it starts again.
  writeFileSync(kernel, signed);
  t.is((await host.run('restart', 'consensus')).code, 0);
  await host.serving('consensus', 2);

  // Asked to end, the supervisor leaves the guests as they are.
  await host.kill('SIGTERM');
  t.is((await host.domains()).length, 3);
});
