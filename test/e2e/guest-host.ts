import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp2 } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytes } from '../../base/units.ts';
import type { Domain, DomainId } from '../../hypervisor/port.ts';
import {
  connectSimulated,
  runSimulatedHypervisor,
  type SimulatedHypervisor,
} from '../../hypervisor/simulated/index.ts';
import { askSupervisor } from '../../pool/supervision/ask.ts';
import type { Supervised } from '../../pool/supervision/messages.ts';
import { guestUuid } from '../../services/vm-lifecycle/service-guests/adapters/identity.ts';
import { pretendManifest, signingKey, writeImage } from '../fixtures/images.ts';
import { eventually, type Ran } from './pool-process.ts';

const program = join(import.meta.dirname, '..', '..', 'main.ts');
const key = signingKey('builder');
const hostId = '5cbe1b5c-0f0e-4a39-8a4e-111111111111';

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
export class GuestHost {
  readonly directory = mkdtempSync(join(tmpdir(), 'flotilla-guests-'));
  readonly socket = join(this.directory, 'service-guests.sock');
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
        socket: this.socket,
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
    const answer = await askSupervisor(this.socket, { ask: 'status' });
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
