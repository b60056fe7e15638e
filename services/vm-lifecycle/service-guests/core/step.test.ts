import test from 'ava';
import { restartDelays } from '../../../../base/restart.ts';
import { milliseconds } from '../../../../base/units.ts';
import type { DomainId, DomainState } from '../../../../hypervisor/port.ts';
import {
  type Found,
  type Guest,
  type Input,
  newGuest,
  type Output,
  orderPatience,
  probeServing,
  refusedRetry,
} from './guest.ts';
import { nextDeadline, step } from './step.ts';

const patience = {
  serve: milliseconds(100_000),
  hang: milliseconds(30_000),
  stop: milliseconds(20_000),
};
const domain = (id: number): DomainId => id as DomainId;
const running: DomainState = { kind: 'running' };

/** A guest that is told things one after the other, on a clock that only the test moves. */
class Told {
  readonly guest: Guest;
  now = 0;

  constructor(canBeAsked = true) {
    this.guest = newGuest(patience, canBeAsked, milliseconds(0));
    this.guest.held = false;
  }

  tell(input: Input): readonly Output[] {
    return step(this.guest, milliseconds(this.now), input);
  }

  /** Answers the look that is under way. */
  see(found: (Omit<Found, 'processor'> & Partial<Found>) | null): readonly Output[] {
    const whole = found === null ? null : { processor: null, ...found };
    return this.tell({ kind: 'seen', look: this.guest.look ?? -1, found: whole });
  }

  probe(probe: 'answered' | 'unserved' | 'silent'): readonly Output[] {
    return this.tell({ kind: 'probed', life: this.guest.life, probe });
  }

  /** Lets the time pass that the guest wants. */
  wait(): readonly Output[] {
    this.now = Math.max(this.now, nextDeadline(this.guest) ?? this.now);
    return this.tell({ kind: 'tick' });
  }

  /** Up as domain 7, by its own start. */
  start(): readonly Output[] {
    this.tell({ kind: 'tick' });
    this.see(null);
    return this.tell({ kind: 'started', domain: domain(7) });
  }
}

function kinds(outputs: readonly Output[]): readonly string[] {
  return outputs.map((output) => (output.kind === 'note' ? output.note.kind : output.kind));
}

test('nothing is started before the hypervisor was looked at', (t) => {
  const guest = new Told();
  t.deepEqual(kinds(guest.tell({ kind: 'tick' })), ['look']);
  t.deepEqual(kinds(guest.see(null)), ['starting', 'start']);
});

test('a domain that runs is adopted, and asked whether it serves', (t) => {
  const guest = new Told();
  guest.tell({ kind: 'tick' });
  t.deepEqual(kinds(guest.see({ id: domain(3), state: running })), ['adopted', 'probe']);
  t.deepEqual(kinds(guest.probe('answered')), ['serving']);
  t.like(guest.guest.phase, { kind: 'up', domain: 3, answers: true });
});

test('a domain that is paused was left half built: it is destroyed, and one is built', (t) => {
  const guest = new Told();
  guest.tell({ kind: 'tick' });
  const found = { id: domain(3), state: { kind: 'paused' } } as const;
  t.deepEqual(kinds(guest.see(found)), ['destroying', 'destroy']);
  t.deepEqual(kinds(guest.tell({ kind: 'destroyed' })), ['starting', 'start']);
});

test('a look that began before the guest was started says nothing of it', (t) => {
  const guest = new Told();
  guest.tell({ kind: 'tick' });
  const early = guest.guest.look ?? -1;
  guest.tell({ kind: 'seen', look: early, found: null });
  guest.tell({ kind: 'started', domain: domain(7) });
  t.deepEqual(kinds(guest.tell({ kind: 'seen', look: early, found: null })), []);
  t.like(guest.guest.phase, { kind: 'up', domain: 7 });
});

test('a guest that keeps dying is started later and later, up to the last delay', (t) => {
  const guest = new Told();
  guest.tell({ kind: 'tick' });
  guest.see(null);
  const waits: number[] = [];
  for (let life = 0; life < restartDelays.length + 2; life += 1) {
    guest.tell({ kind: 'started', domain: domain(7) });
    guest.probe('answered');
    guest.tell({ kind: 'changed', domain: domain(7) });
    const crashed = { id: domain(7), state: { kind: 'shutdown', reason: 'crash' } } as const;
    t.deepEqual(kinds(guest.see(crashed)), ['fell', 'destroying', 'destroy']);
    const before = guest.now;
    guest.tell({ kind: 'destroyed' });
    t.deepEqual(kinds(guest.wait()), ['starting', 'start']);
    waits.push(guest.now - before);
  }
  t.deepEqual(waits, [...restartDelays, 10_000, 10_000]);
});

test('one that has served for a while is started again soon', (t) => {
  const guest = new Told();
  guest.start();
  guest.guest.history = { shortRuns: 5 };
  guest.probe('answered');
  guest.now += 60_000;
  guest.tell({ kind: 'changed', domain: domain(7) });
  const [fell] = guest.see(null);
  t.like(fell, {
    note: { kind: 'fell', why: 'its domain is gone', wait: restartDelays[0] ?? null },
  });
});

test('a guest that was silent for its bound after it has served is destroyed', (t) => {
  const guest = new Told();
  guest.start();
  guest.probe('answered');
  guest.now += probeServing;
  t.deepEqual(kinds(guest.probe('silent')), ['look']);
  guest.now = patience.hang - 1;
  t.deepEqual(kinds(guest.probe('silent')), []);
  guest.now = patience.hang;
  const outputs = guest.probe('silent');
  t.deepEqual(kinds(outputs), ['fell', 'destroying', 'destroy']);
  t.like(outputs[0], { note: { why: 'it was silent for 30 s' } });
});

test('silence for want of a processor is not held against a guest', (t) => {
  const guest = new Told();
  guest.start();
  guest.probe('answered');
  let had = 0;
  const looks = (waits: boolean, more: number): readonly string[] => {
    guest.now += 5_000;
    had += more;
    guest.tell({ kind: 'tick' });
    const processor = { had: milliseconds(had), waits };
    const outputs = guest.see({ id: domain(7), state: running, processor });
    return kinds([...outputs, ...guest.probe('silent')]);
  };
  looks(false, 4_000);
  guest.probe('silent');
  t.true(looks(true, 10).includes('starved'));
  for (let look = 0; look < 20; look += 1) t.false(looks(true, 10).includes('fell'));
  // Now it has the processor, or has nothing to do, and is silent still.
  const seen = Array.from({ length: 8 }, (_, look) => looks(false, look % 2 === 0 ? 0 : 4_000));
  t.is(seen.flat().filter((kind) => kind === 'fell').length, 1);
  t.true(seen.flat().includes('destroy'));
});

test('a probe of an earlier life says nothing of this one', (t) => {
  const guest = new Told();
  guest.start();
  const { life } = guest.guest;
  guest.tell({ kind: 'changed', domain: domain(7) });
  guest.see({ id: domain(8), state: running });
  t.deepEqual(kinds(guest.tell({ kind: 'probed', life, probe: 'answered' })), []);
  t.like(guest.guest.phase, { kind: 'up', domain: 8, answers: false });
});

test('one that has never answered has longer', (t) => {
  const guest = new Told();
  guest.start();
  guest.now = patience.serve - 1;
  guest.probe('silent');
  t.is(guest.guest.phase.kind, 'up');
  guest.now = patience.serve;
  t.like(guest.probe('silent')[0], { note: { why: 'it has not answered for 100 s' } });
});

test('a guest whose kernel refuses the connection lives: its init starts the service again', (t) => {
  const guest = new Told();
  guest.start();
  guest.probe('answered');
  t.deepEqual(kinds(guest.probe('unserved')), ['unserved']);
  guest.now = 3_600_000;
  t.false(kinds(guest.probe('unserved')).includes('destroy'));
  t.like(guest.guest.phase, { kind: 'up', answers: false });
  t.deepEqual(kinds(guest.probe('answered')), ['serving']);
});

test('a refused image makes no domain, and is looked at again after a while', (t) => {
  const guest = new Told();
  guest.tell({ kind: 'tick' });
  guest.see(null);
  const why = 'vmlinuz is not what was signed';
  t.deepEqual(kinds(guest.tell({ kind: 'start-refused', why })), ['refused']);
  t.is(nextDeadline(guest.guest), refusedRetry);
  t.deepEqual(kinds(guest.wait()), ['starting', 'start']);
});

test('the operator restarts a guest: it is asked to stop, and destroyed only if it does not', (t) => {
  const gentle = new Told();
  gentle.start();
  t.deepEqual(kinds(gentle.tell({ kind: 'restart' })), ['stopping', 'ask-to-stop', 'look']);
  const off = { id: domain(7), state: { kind: 'shutdown', reason: 'poweroff' } } as const;
  t.deepEqual(kinds(gentle.see(off)), ['destroying', 'destroy']);
  t.deepEqual(kinds(gentle.tell({ kind: 'destroyed' })), ['starting', 'start']);

  const stubborn = new Told();
  stubborn.start();
  stubborn.tell({ kind: 'restart' });
  stubborn.see({ id: domain(7), state: running });
  stubborn.now = patience.stop;
  t.deepEqual(kinds(stubborn.tell({ kind: 'tick' })), ['destroying', 'destroy']);
  t.deepEqual(kinds(stubborn.tell({ kind: 'destroyed' })), ['starting', 'start']);
});

test('what could not be destroyed is not adopted, but destroyed again', (t) => {
  const guest = new Told();
  guest.start();
  guest.tell({ kind: 'restart' });
  guest.now = patience.stop;
  guest.tell({ kind: 'tick' });
  t.deepEqual(kinds(guest.tell({ kind: 'destroy-failed', why: 'Xen is away' })), ['trouble']);
  t.deepEqual(kinds(guest.wait()), ['look']);
  t.deepEqual(kinds(guest.see({ id: domain(7), state: running })), ['destroying', 'destroy']);
});

test('a failed start is looked at before the next: what it left is cleared away', (t) => {
  const guest = new Told();
  guest.tell({ kind: 'tick' });
  guest.see(null);
  t.deepEqual(kinds(guest.tell({ kind: 'start-failed', why: 'no bridge' })), ['fell', 'look']);
  const left = { id: domain(9), state: { kind: 'paused' } } as const;
  t.deepEqual(kinds(guest.see(left)), ['destroying', 'destroy']);
  t.deepEqual(kinds(guest.tell({ kind: 'destroyed' })), []);
  t.is(nextDeadline(guest.guest), restartDelays[0] ?? null);
});

test('a guest that cannot be asked serves while it runs', (t) => {
  const guest = new Told(false);
  t.deepEqual(kinds(guest.start()), ['started', 'serving']);
});

test('those behind a guest that does not come to serve wait for it for so long', (t) => {
  const guest = new Told();
  guest.start();
  t.false(guest.guest.settled);
  guest.now = orderPatience;
  guest.tell({ kind: 'tick' });
  t.true(guest.guest.settled);
});
