import { nextRestart } from '../../../../base/restart.ts';
import { type Milliseconds, milliseconds } from '../../../../base/units.ts';
import type { DomainId } from '../../../../hypervisor/port.ts';
import {
  type Guest,
  lookEvery,
  type Note,
  type Output,
  type Phase,
  refusedRetry,
} from './guest.ts';

/** How a guest comes from one phase into the next, and what is to be done then. */

/** It has to go, and is started again after what its history says. */
export function end(
  guest: Guest,
  now: Milliseconds,
  domain: DomainId,
  why: string,
  servedAt: Milliseconds | null,
): Output[] {
  const wait = nextWait(guest, now, servedAt);
  const told = note({ kind: 'fell', why, wait });
  return [...told, ...destroy(guest, domain, milliseconds(now + wait), why)];
}

/** It is gone, or was never there; `condemned`: but not quite yet. */
export function fall(
  guest: Guest,
  now: Milliseconds,
  why: string,
  servedAt: Milliseconds | null,
  condemned: DomainId | null,
): Output[] {
  const wait = nextWait(guest, now, servedAt);
  const { lookAt } = guest;
  enter(guest, now, { kind: 'unsure', until: milliseconds(now + wait), condemned });
  if (condemned !== null) guest.lookAt = lookAt;
  return note({ kind: 'fell', why, wait });
}

/** Its image was refused. */
export function refuse(guest: Guest, now: Milliseconds, why: string): Output[] {
  guest.settled = true;
  enter(guest, now, { kind: 'refused', until: milliseconds(now + refusedRetry), why });
  return note({ kind: 'refused', why });
}

/** A run counts from when it served: one that never did was none, however long it took to boot. */
function nextWait(guest: Guest, now: Milliseconds, servedAt: Milliseconds | null): Milliseconds {
  const served = milliseconds(servedAt === null ? 0 : now - servedAt);
  const { wait, history } = nextRestart(guest.history, served);
  guest.history = history;
  guest.settled = true;
  return wait;
}

/** Its start is begun: what comes of it is told by an input. */
export function start(guest: Guest): Output[] {
  enter(guest, guest.lookAt, { kind: 'starting' });
  return [...note({ kind: 'starting' }), { kind: 'start' }];
}

/** Its domain is destroyed, and it is not started again before `until`. */
export function destroy(
  guest: Guest,
  domain: DomainId,
  until: Milliseconds,
  why: string,
): Output[] {
  enter(guest, guest.lookAt, { kind: 'destroying', domain, until });
  return [...note({ kind: 'destroying', domain, why }), { kind: 'destroy', domain }];
}

/** Its domain runs; `told` says how that came about. */
export function live(guest: Guest, now: Milliseconds, domain: DomainId, told: Note): Output[] {
  const servedAt = guest.canBeAsked ? null : now;
  const answers = !guest.canBeAsked;
  const times = { since: now, servedAt, answeredAt: now, heardAt: now };
  enter(guest, now, { kind: 'up', domain, ...times, answers, looked: null, starved: false });
  guest.lookAt = milliseconds(now + lookEvery);
  guest.life += 1;
  guest.probing = false;
  guest.probeAt = now;
  if (!answers) return note(told);
  guest.settled = true;
  return [...note(told), ...note({ kind: 'serving', domain, after: milliseconds(0) })];
}

/** Another phase: what was looked for in the last one says nothing of this one. */
export function enter(guest: Guest, lookAt: Milliseconds, phase: Phase): void {
  guest.phase = phase;
  guest.look = null;
  guest.lookAt = lookAt;
}

/** What an operator is told, as the only output. */
export function note(told: Note): Output[] {
  return [{ kind: 'note', note: told }];
}
