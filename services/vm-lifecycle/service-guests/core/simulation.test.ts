import test from 'ava';
import { type Random, seededRandom } from '../../../../base/random.ts';
import { restartDelays } from '../../../../base/restart.ts';
import { milliseconds } from '../../../../base/units.ts';
import type { DomainId, DomainState } from '../../../../hypervisor/port.ts';
import {
  dueServices,
  type Fleet,
  type FleetOutput,
  fleetDeadline,
  newFleet,
  stepFleet,
} from './fleet.ts';
import { type Guest, type Input, lookEvery, orderPatience, refusedRetry } from './guest.ts';

/**
 * A host in virtual time: a hypervisor that fails and forgets, guests that crash and hang, and a
 * supervisor that is killed at any moment and comes back knowing nothing.
 */

const services = ['consensus', 'network', 'storage'];
const patience = {
  serve: milliseconds(90_000),
  hang: milliseconds(15_000),
  stop: milliseconds(10_000),
};

/** No boot takes longer, so a guest that is not hung answers before its patience ends. */
const bootMax = 60_000;

interface SimulatedDomain {
  readonly service: string;
  state: DomainState;
  /** From when on it answers; later than that it may hang. */
  readonly answersAt: number;
  hung: boolean;
  /** The operator asked for it to be restarted. */
  unwanted: boolean;
}

class SimulatedHost {
  readonly #random: Random;
  readonly domains = new Map<DomainId, SimulatedDomain>();
  fleet: Fleet;
  now = 0;
  faulty = true;
  starts = new Map<string, number[]>();
  #queue: { at: number; act: () => void }[] = [];
  #supervisor = 0;
  #ids = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.fleet = this.#newFleet();
  }

  #newFleet(): Fleet {
    const guests = services.map((service) => ({ service, patience, canBeAsked: true }));
    return newFleet(guests, milliseconds(this.now));
  }

  /** Does `act` later, unless the supervisor that wants it is killed before. */
  #later(most: number, act: () => void): void {
    const own = this.#supervisor;
    const at = this.now + 1 + this.#random.below(most);
    this.#queue.push({ at, act: () => own === this.#supervisor && act() });
  }

  #fails(): boolean {
    return this.faulty && this.#random.chance(0.1);
  }

  tell(service: string, input: Input): void {
    for (const output of stepFleet(this.fleet, milliseconds(this.now), service, input))
      this.#obey(output);
  }

  domainsOf(service: string): readonly [DomainId, SimulatedDomain][] {
    return [...this.domains].filter(([, domain]) => domain.service === service);
  }

  #obey({ service, output }: FleetOutput): void {
    switch (output.kind) {
      case 'look': {
        const { look } = output;
        // What is seen is as old as the moment at which the hypervisor looked.
        this.#later(50, () => {
          const [found] = this.domainsOf(service).map(([id, { state }]) => ({
            ...{ id, state, processor: null },
          }));
          const failed = this.#fails();
          this.#later(50, () =>
            failed
              ? this.tell(service, { kind: 'look-failed', look, why: 'injected' })
              : this.tell(service, { kind: 'seen', look, found: found ?? null }),
          );
        });
        return;
      }
      case 'start':
        this.#start(service);
        return;
      case 'destroy':
        this.#destroy(service, output.domain);
        return;
      case 'ask-to-stop': {
        const domain = this.domains.get(output.domain);
        if (domain === undefined || this.#random.chance(0.3)) return;
        this.#queue.push({
          at: this.now + this.#random.below(5_000),
          act: () => {
            if (domain.state.kind === 'running')
              domain.state = { kind: 'shutdown', reason: 'poweroff' };
          },
        });
        return;
      }
      case 'probe': {
        const { life } = output;
        const guest = this.fleet.get(service);
        const known = guest?.phase.kind === 'up' ? this.domains.get(guest.phase.domain) : undefined;
        this.#later(500, () => {
          const answers =
            known?.state.kind === 'running' && !known.hung && this.now >= known.answersAt;
          this.tell(service, { kind: 'probed', life, probe: answers ? 'answered' : 'silent' });
        });
        return;
      }
      case 'note':
        return;
    }
  }

  #start(service: string): void {
    this.starts.set(service, [...(this.starts.get(service) ?? []), this.now]);
    if (this.#fails()) {
      const refused = this.#random.chance(0.5);
      const kind = refused ? 'start-refused' : 'start-failed';
      this.#later(300, () => this.tell(service, { kind, why: 'injected' }));
      return;
    }
    this.#later(2_000, () => {
      const others = this.domainsOf(service).map(([id]) => id);
      if (others.length > 0)
        throw new Error(`${service}: asked for a second domain beside ${others.join()}`);
      this.#ids += 1;
      const id = this.#ids as DomainId;
      const domain: SimulatedDomain = {
        service,
        state: { kind: 'paused' },
        answersAt: this.now + this.#random.below(bootMax - 2_000),
        hung: false,
        unwanted: false,
      };
      this.domains.set(id, domain);
      const fails = this.#fails();
      this.#later(2_000, () => {
        if (fails) {
          this.tell(service, { kind: 'start-failed', why: 'injected' });
          return;
        }
        domain.state = { kind: 'running' };
        // It runs; that it does so is answered a moment later, or never where the kill is in between.
        this.#later(50, () => this.tell(service, { kind: 'started', domain: id }));
      });
    });
  }

  #destroy(service: string, id: DomainId): void {
    const domain = this.domains.get(id);
    if (domain?.state.kind === 'running' && !domain.hung && !domain.unwanted)
      throw new Error(`${service}: domain ${id} is destroyed, but nothing is wrong with it`);
    if (this.#fails()) {
      this.#later(300, () => this.tell(service, { kind: 'destroy-failed', why: 'injected' }));
      return;
    }
    // The hypervisor goes on with it, whoever asked for it and is gone.
    if (domain !== undefined) domain.state = { kind: 'dying' };
    const at = this.now + this.#random.below(1_500);
    this.#queue.push({ at, act: () => this.domains.delete(id) });
    const own = this.#supervisor;
    this.#queue.push({
      at: at + 1,
      act: () => own === this.#supervisor && this.tell(service, { kind: 'destroyed' }),
    });
  }

  /** The supervisor is killed, and another one comes. What it had under way goes no further. */
  kill(): void {
    this.#supervisor += 1;
    this.fleet = this.#newFleet();
  }

  /** Something that happens to a host. */
  mishap(): void {
    const running = [...this.domains].filter(([, { state }]) => state.kind === 'running');
    const [id, domain] = running.length === 0 ? [] : this.#random.pick(running);
    switch (this.#random.below(4)) {
      case 0:
        this.kill();
        return;
      case 1:
        if (domain !== undefined) domain.state = { kind: 'shutdown', reason: 'crash' };
        break;
      case 2:
        if (domain !== undefined) domain.hung = true;
        break;
      case 3: {
        const service = this.#random.pick(services);
        for (const [, one] of this.domainsOf(service)) one.unwanted = true;
        this.tell(service, { kind: 'restart' });
        return;
      }
    }
    // An event may be lost: then the next look finds it.
    if (id !== undefined && this.#random.chance(0.5))
      for (const service of services) this.tell(service, { kind: 'changed', domain: id });
  }

  /** Lets virtual time pass, from one event to the next. */
  pass(span: number): void {
    const until = this.now + span;
    for (;;) {
      const moments = [...this.#queue.map(({ at }) => at), fleetDeadline(this.fleet) ?? until];
      this.now = Math.max(this.now, Math.min(until, ...moments));
      if (this.now === until) return;
      const ready = this.#queue.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at);
      this.#queue = this.#queue.filter((item) => !ready.includes(item));
      for (const { act } of ready) act();
      for (const service of dueServices(this.fleet, milliseconds(this.now)))
        this.tell(service, { kind: 'tick' });
    }
  }

  randomSpan(most: number): number {
    return 1 + this.#random.below(most);
  }
}

/** After the last mishap: each guest may have to be noticed, to wait, to be destroyed, and to boot. */
const settleBound =
  refusedRetry +
  3 * (orderPatience + patience.serve + patience.hang + patience.stop) +
  2 * lookEvery +
  Math.max(...restartDelays) +
  bootMax;

function answersOf(guest: Guest | undefined): DomainId | null {
  return guest?.phase.kind === 'up' && guest.phase.answers ? guest.phase.domain : null;
}

for (let seed = 1; seed <= 20; seed += 1)
  test(`whatever happens to a host, no guest has two domains, and in the end all serve (seed ${seed})`, (t) => {
    const host = new SimulatedHost(seed);
    for (let mishap = 0; mishap < 60; mishap += 1) {
      host.pass(host.randomSpan(20_000));
      host.mishap();
    }
    host.faulty = false;
    host.pass(settleBound);
    for (const service of services) {
      const domains = host.domainsOf(service);
      t.is(domains.length, 1, `${service} has one domain`);
      t.is(answersOf(host.fleet.get(service)), domains[0]?.[0] ?? null, `${service} serves`);
    }
    // A supervisor that comes back takes what runs for its own.
    const before = [...host.domains.keys()];
    host.kill();
    host.pass(settleBound);
    t.deepEqual([...host.domains.keys()], before);
    for (const service of services) t.not(answersOf(host.fleet.get(service)), null);
  });

test('a guest that dies at once, again and again, is started no faster than the back-off says', (t) => {
  const host = new SimulatedHost(1);
  host.faulty = false;
  for (let round = 0; round < 6_000; round += 1) {
    for (const [id, domain] of host.domainsOf('consensus'))
      if (domain.state.kind === 'running') {
        domain.state = { kind: 'shutdown', reason: 'crash' };
        host.tell('consensus', { kind: 'changed', domain: id });
      }
    host.pass(20);
  }
  const starts = host.starts.get('consensus') ?? [];
  const gaps = starts.slice(1).map((at, index) => at - (starts[index] ?? at));
  t.true(gaps.length > restartDelays.length);
  for (const [index, gap] of gaps.entries())
    t.true(gap >= (restartDelays[index] ?? 10_000), `start ${index + 2} came after ${gap} ms`);
});
