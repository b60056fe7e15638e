import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesOf, textOf } from '../../../services/xenstore/core/payload.ts';
import { messageTypes, type Packet } from '../../../services/xenstore/core/wire.ts';
import { EventChannels } from '../../peers/event-channels.ts';
import { Peer, type PeerName } from '../../peers/peer.ts';
import { peerQuotas, type Quotas } from './quotas.ts';
import {
  type Client,
  clients,
  type Guest,
  guests,
  isGuest,
  type Reply,
  type Step,
  type Told,
} from './step.ts';
import type { Subject } from './subject.ts';
import { RingWire, socketWire, type Wire } from './wires.ts';

type Request = Extract<Step, { kind: 'request' }>;

/** How long a peer may take to answer, in milliseconds: it has crashed, or hangs, beyond that. */
const patience = 10_000;

/** The request ids: of what a step asks, and of what is asked to know that all has arrived. */
const requestOfStep = 1;
const requestOfBarrier = 2;

const barrier: Packet = {
  type: messageTypes.GET_DOMAIN_PATH,
  requestId: requestOfBarrier,
  transactionId: 0,
  payload: bytesOf('0\0'),
};

const removal: Request = {
  kind: 'request',
  by: 'one',
  type: messageTypes.RM,
  transaction: 0,
  payload: '',
};

/** One of Debian's daemons, with clients on sockets and guests on rings. */
export class Theirs implements Subject {
  readonly #peer: Peer;
  #channels: EventChannels | null = null;
  readonly #wires = new Map<Client, Wire>();
  readonly #transactions = new Map<Client, number[]>();
  /** Clients whose barrier has not come back. */
  readonly #awaited = new Set<Client>();
  #over: () => void = () => undefined;
  #giveUp: () => void = () => undefined;
  #reply: Reply = { kind: 'nothing' };
  #events: string[] = [];

  private constructor(peer: Peer) {
    this.#peer = peer;
  }

  static async start(name: PeerName, quotas: Quotas = {}): Promise<Theirs> {
    const directory = mkdtempSync(join(tmpdir(), 'differential-'));
    const peer = await Peer.start(name, directory, peerQuotas(quotas));
    const theirs = new Theirs(peer);
    peer.onceEnded(() => theirs.#giveUp());
    theirs.#channels = await EventChannels.open(directory, (domain) => theirs.#signalled(domain));
    for (const guest of ['guest7', 'guest8'] as const) theirs.#born(guest);
    for (const client of ['one', 'two'] as const) await theirs.#connect(client);
    // Only oxenstored begins with it.
    await theirs.perform({ ...removal, payload: '/local\0' });
    return theirs;
  }

  #signalled(domain: number): void {
    for (const [client, wire] of this.#wires)
      if (isGuest(client) && guests[client] === domain && wire instanceof RingWire)
        wire.signalled();
  }

  async perform(step: Step): Promise<Told> {
    this.#reply = { kind: 'nothing' };
    this.#events = [];
    switch (step.kind) {
      case 'request':
        await this.#request(step);
        break;
      case 'reconnect':
        this.#wires.get(step.by)?.close();
        await this.#connect(step.by);
        break;
      case 'shutdown':
      case 'death':
        await this.#domainChanged(step.kind, step.domain);
        break;
    }
    await this.#everybodyWasTold();
    return { reply: this.#reply, events: this.#events.sort() };
  }

  async close(): Promise<void> {
    for (const wire of this.#wires.values()) wire.close();
    this.#channels?.close();
    await this.#peer.stop();
    rmSync(this.#peer.directory, { recursive: true, force: true });
  }

  async #request(step: Request): Promise<void> {
    const { by, type, payload } = step;
    const wire = this.#wires.get(by);
    if (wire === undefined) {
      this.#reply = { kind: 'absent' };
      return;
    }
    this.#reply = { kind: 'silence' };
    const packet: Packet = {
      type,
      requestId: requestOfStep,
      transactionId: this.#transaction(step),
      payload: bytesOf(payload),
    };
    this.#awaited.add(by);
    wire.send(packet, barrier);
    await this.#answered();
    await this.#note(step, this.#reply);
  }

  /** Remembers what a reply has made, and connects again whom the daemon has left. */
  async #note({ by, type, payload }: Request, reply: Reply): Promise<void> {
    if (reply.kind === 'closed' && !isGuest(by)) await this.#connect(by);
    if (reply.kind !== 'reply' || reply.type !== type) return;
    if (type === messageTypes.TRANSACTION_START)
      this.#transactions.set(by, [
        Number.parseInt(reply.payload, 10),
        ...(this.#transactions.get(by) ?? []),
      ]);
    const guest = guestNamed(payload);
    if (guest !== undefined && type === messageTypes.INTRODUCE) this.#introduced(guest);
    if (guest !== undefined && type === messageTypes.RELEASE) this.#forget(guest);
  }

  #transaction({ by, transaction }: Request): number {
    if (transaction === 0) return 0;
    return this.#transactions.get(by)?.[transaction - 1] ?? 0x7fffffff;
  }

  async #connect(client: 'one' | 'two'): Promise<void> {
    this.#transactions.delete(client);
    const { socket } = this.#peer;
    const wire = await socketWire(socket, (packet) => this.#received(client, packet));
    if (wire === null) this.#reply = { kind: 'crashed' };
    else this.#wires.set(client, wire);
  }

  /** The ring is served from now on, and begins anew if it was served before. */
  #introduced(guest: Guest): void {
    this.#forget(guest);
    const domain = guests[guest];
    const page = join(this.#peer.directory, `ring.${domain}`);
    const kick = () => this.#channels?.kick(domain);
    this.#wires.set(guest, new RingWire(page, kick, (packet) => this.#received(guest, packet)));
  }

  #born(guest: Guest): void {
    const { directory } = this.#peer;
    writeFileSync(join(directory, `ring.${guests[guest]}`), Buffer.alloc(4096));
    writeFileSync(join(directory, `domain.${guests[guest]}`), 'r');
  }

  #forget(guest: Guest): void {
    this.#wires.get(guest)?.close();
    this.#wires.delete(guest);
    this.#transactions.delete(guest);
    // The page of a domain that is introduced again is a new one. The file is not cut short meanwhile:
    // the daemon may have it mapped.
    const page = join(this.#peer.directory, `ring.${guests[guest]}`);
    writeFileSync(page, Buffer.alloc(4096), { flag: 'r+' });
  }

  async #domainChanged(kind: 'shutdown' | 'death', guest: Guest): Promise<void> {
    const file = join(this.#peer.directory, `domain.${guests[guest]}`);
    if (kind === 'death') {
      rmSync(file);
      this.#wires.get(guest)?.close();
      this.#wires.delete(guest);
    } else writeFileSync(file, 's');
    this.#channels?.tellOfDomains();
    // Twice: the daemon may look at its sockets first, and at the event channel in its next turn.
    await this.#everybodyWasTold();
    await this.#everybodyWasTold();
    if (kind === 'death') this.#forget(guest);
    writeFileSync(file, 'r');
  }

  /** Resolves when what the daemon has sent to anybody has arrived. */
  async #everybodyWasTold(): Promise<void> {
    for (const [client, wire] of this.#wires) {
      this.#awaited.add(client);
      wire.send(barrier);
    }
    await this.#answered();
  }

  async #answered(): Promise<void> {
    if (this.#awaited.size === 0) return;
    await new Promise<void>((resolve) => {
      const giveUp = () => {
        clearTimeout(timer);
        this.#awaited.clear();
        this.#reply = { kind: this.#peer.runs ? 'waiting' : 'crashed' };
        resolve();
      };
      const timer = setTimeout(giveUp, patience);
      this.#giveUp = giveUp;
      if (!this.#peer.runs) giveUp();
      this.#over = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #received(client: Client, packet: Packet | null): void {
    if (packet === null) {
      this.#reply = { kind: 'closed' };
      this.#wires.delete(client);
    } else if (packet.type === messageTypes.WATCH_EVENT) {
      const [path, token] = textOf(packet.payload).split('\0');
      this.#events.push(`${client} ${path} ${token}`);
      return;
    } else if (packet.requestId !== requestOfBarrier) {
      this.#reply = { kind: 'reply', type: packet.type, payload: textOf(packet.payload) };
      return;
    }
    this.#awaited.delete(client);
    if (this.#awaited.size === 0) this.#over();
  }
}

function guestNamed(payload: string): Guest | undefined {
  const domain = Number(payload.split('\0')[0]);
  return clients.filter(isGuest).find((guest) => guests[guest] === domain);
}
