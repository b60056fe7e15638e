import { unreachable } from '../../../../base/assert.ts';
import { neverRan } from '../../../../base/restart.ts';
import { type Milliseconds, milliseconds } from '../../../../base/units.ts';
import type { DomainId } from '../../../../hypervisor/port.ts';
import {
  type Found,
  type Guest,
  type Input,
  lookAgain,
  lookEvery,
  type Output,
  orderPatience,
  type Phase,
  type Probe,
  probeServing,
  probeShare,
  probeStarting,
  starvedShare,
} from './guest.ts';
import { destroy, end, enter, fall, live, note, refuse, start } from './transitions.ts';

/**
 * One step of a guest's supervision. What it promises, whatever comes and however often the supervisor
 * is killed: a domain is asked for only after a look that found none, so a guest never has two; one
 * that runs is adopted and not touched; one that was left half built is destroyed; between two starts
 * passes what `nextRestart` says.
 */
export function step(guest: Guest, now: Milliseconds, input: Input): Output[] {
  return [...react(guest, now, input), ...due(guest, now)];
}

/** The moment at which the guest wants its next `tick`. Every phase but a job under way has one. */
export function nextDeadline(guest: Guest): Milliseconds | null {
  const moments = [...deadlines(guest)];
  return moments.length === 0 ? null : milliseconds(Math.min(...moments));
}

function* deadlines(guest: Guest): Iterable<Milliseconds> {
  const { phase } = guest;
  if (wantsLooks(phase) && guest.look === null) yield guest.lookAt;
  switch (phase.kind) {
    case 'waiting':
    case 'refused':
      if (!guest.held) yield phase.until;
      return;
    case 'stopping':
      yield phase.until;
      return;
    case 'up':
      if (guest.canBeAsked && !guest.probing) yield guest.probeAt;
      if (!guest.settled) yield milliseconds(phase.since + orderPatience);
      return;
    case 'unsure':
    case 'starting':
    case 'destroying':
      return;
  }
  unreachable(phase);
}

function wantsLooks({ kind }: Phase): boolean {
  return kind === 'unsure' || kind === 'up' || kind === 'stopping';
}

/** What the moment brings, whatever brought the moment. */
function due(guest: Guest, now: Milliseconds): Output[] {
  const { phase } = guest;
  switch (phase.kind) {
    case 'waiting':
    case 'refused':
      return guest.held || now < phase.until ? [] : start(guest);
    case 'stopping':
      if (now >= phase.until)
        return destroy(guest, phase.domain, now, 'it did not stop in its time');
      return look(guest, now);
    case 'up':
      if (now >= phase.since + orderPatience) guest.settled = true;
      return [...look(guest, now), ...probe(guest, now)];
    case 'unsure':
      return look(guest, now);
    case 'starting':
    case 'destroying':
      return [];
  }
  return unreachable(phase);
}

function look(guest: Guest, now: Milliseconds): Output[] {
  if (guest.look !== null || now < guest.lookAt) return [];
  guest.looks += 1;
  guest.look = guest.looks;
  return [{ kind: 'look', look: guest.looks }];
}

function probe(guest: Guest, now: Milliseconds): Output[] {
  if (!guest.canBeAsked || guest.probing || now < guest.probeAt) return [];
  guest.probing = true;
  return [{ kind: 'probe', life: guest.life }];
}

function react(guest: Guest, now: Milliseconds, input: Input): Output[] {
  switch (input.kind) {
    case 'tick':
      return [];
    case 'released':
      guest.held = false;
      return [];
    case 'changed':
      return changed(guest, now, input.domain);
    case 'seen':
      if (input.look !== guest.look) return [];
      guest.look = null;
      guest.lookAt = milliseconds(now + lookEvery);
      return seen(guest, now, input.found);
    case 'look-failed':
      if (input.look !== guest.look) return [];
      guest.look = null;
      guest.lookAt = milliseconds(now + lookAgain);
      return note({ kind: 'trouble', why: input.why });
    case 'started':
      if (guest.phase.kind !== 'starting') return [];
      return live(guest, now, input.domain, { kind: 'started', domain: input.domain });
    case 'start-failed':
      return guest.phase.kind === 'starting' ? fall(guest, now, input.why, null, null) : [];
    case 'start-refused':
      return guest.phase.kind === 'starting' ? refuse(guest, now, input.why) : [];
    case 'destroyed':
      if (guest.phase.kind === 'destroying')
        enter(guest, now, { kind: 'waiting', until: guest.phase.until });
      return [];
    case 'destroy-failed': {
      const { phase } = guest;
      if (phase.kind !== 'destroying') return [];
      enter(guest, now, { kind: 'unsure', until: phase.until, condemned: phase.domain });
      guest.lookAt = milliseconds(now + lookAgain);
      return note({ kind: 'trouble', why: input.why });
    }
    case 'probed':
      return input.life === guest.life ? probed(guest, now, input.probe) : [];
    case 'restart':
      return restart(guest, now);
  }
  return unreachable(input);
}

/** A look that is under way may be older than the change: its answer does not count any more. */
function changed(guest: Guest, now: Milliseconds, domain: DomainId): Output[] {
  const { phase } = guest;
  const concerned =
    phase.kind === 'unsure' ||
    ((phase.kind === 'up' || phase.kind === 'stopping') && phase.domain === domain);
  if (concerned) {
    guest.look = null;
    guest.lookAt = now;
  }
  return [];
}

function seen(guest: Guest, now: Milliseconds, found: Found | null): Output[] {
  const { phase } = guest;
  if (phase.kind !== 'unsure' && phase.kind !== 'up' && phase.kind !== 'stopping') return [];
  if (found === null) {
    if (phase.kind === 'up') return fall(guest, now, 'its domain is gone', phase.servedAt, null);
    const until = phase.kind === 'unsure' ? phase.until : now;
    enter(guest, now, { kind: 'waiting', until });
    return [];
  }
  const { id, state } = found;
  const known = phase.kind === 'unsure' ? null : phase.domain;
  switch (state.kind) {
    case 'dying':
      // Somebody destroyed it: there is none soon.
      guest.lookAt = milliseconds(now + lookAgain);
      if (phase.kind === 'up')
        return fall(guest, now, 'its domain was destroyed', phase.servedAt, id);
      return [];
    case 'shutdown': {
      const why = `it stopped (${state.reason})`;
      if (phase.kind === 'up') return end(guest, now, id, why, phase.servedAt);
      return destroy(guest, id, phase.kind === 'unsure' ? phase.until : now, why);
    }
    case 'paused':
      // Unpausing is the last thing that a start does: this one is of a start that was cut off.
      if (phase.kind === 'unsure')
        return destroy(guest, id, phase.until, 'it was left half built, or was paused');
      return [];
    case 'running':
      if (id === known) return phase.kind === 'up' ? ran(guest, phase, now, found) : [];
      if (phase.kind === 'unsure' && phase.condemned === id)
        return destroy(guest, id, phase.until, 'it is still there');
      return live(guest, now, id, { kind: 'adopted', domain: id });
  }
  return unreachable(state);
}

/**
 * A guest on a host whose processors are all taken is silent and not at fault: to start it anew would take
 * still more. So the time from one look to the next is not counted where it wanted to run and did not.
 */
function ran(
  guest: Guest,
  phase: Extract<Phase, { kind: 'up' }>,
  now: Milliseconds,
  { id, processor }: Found,
): Output[] {
  const { looked } = phase;
  const passed = looked === null ? 0 : now - looked.at;
  const had = looked === null || processor === null ? 0 : processor.had - looked.had;
  const starved = processor?.waits === true && passed > 0 && had < starvedShare * passed;
  guest.phase = {
    ...phase,
    heardAt: milliseconds(phase.heardAt + (starved ? passed : 0)),
    looked: processor === null ? null : { at: now, had: processor.had },
    starved: starved && !phase.answers,
  };
  // One that answers may have had little to do.
  const isNews = starved && !phase.starved && !phase.answers;
  return isNews ? note({ kind: 'starved', domain: id }) : [];
}

function probed(guest: Guest, now: Milliseconds, found: Probe): Output[] {
  guest.probing = false;
  const { phase } = guest;
  if (phase.kind !== 'up') return [];
  const isNew = phase.servedAt === null && found === 'silent';
  const starts = isNew || found === 'unserved';
  const share = Math.max(probeStarting, probeShare * (now - phase.answeredAt));
  guest.probeAt = milliseconds(now + (starts ? Math.min(share, probeServing) : probeServing));
  switch (found) {
    case 'answered': {
      guest.phase = {
        ...phase,
        ...{ servedAt: phase.servedAt ?? now, answeredAt: now, heardAt: now, answers: true },
      };
      guest.settled = true;
      if (phase.answers) return [];
      const after = milliseconds(now - phase.since);
      return note({ kind: 'serving', domain: phase.domain, after });
    }
    case 'unserved':
      // Its kernel lives, and its init starts the service again: a new domain would gain nothing.
      guest.phase = { ...phase, heardAt: now, answers: false };
      return phase.answers ? note({ kind: 'unserved', domain: phase.domain }) : [];
    case 'silent': {
      const { serve, hang } = guest.patience;
      const bound = phase.servedAt === null ? serve : hang;
      guest.phase = { ...phase, answers: false };
      if (now - phase.heardAt < bound) return [];
      const what = phase.servedAt === null ? 'has not answered' : 'was silent';
      return end(guest, now, phase.domain, `it ${what} for ${bound / 1000} s`, phase.servedAt);
    }
  }
  return unreachable(found);
}

/** The operator's wish waits for no back-off, and what is under way already is what was wished. */
function restart(guest: Guest, now: Milliseconds): Output[] {
  const { phase } = guest;
  guest.history = neverRan;
  guest.held = false;
  switch (phase.kind) {
    case 'unsure':
      guest.phase = { ...phase, until: now };
      return [];
    case 'waiting':
    case 'refused':
      enter(guest, now, { kind: 'waiting', until: now });
      return [];
    case 'destroying':
      guest.phase = { ...phase, until: now };
      return [];
    case 'starting':
    case 'stopping':
      return [];
    case 'up': {
      const { domain } = phase;
      const until = milliseconds(now + guest.patience.stop);
      enter(guest, now, { kind: 'stopping', domain, until });
      return [...note({ kind: 'stopping', domain }), { kind: 'ask-to-stop', domain }];
    }
  }
  return unreachable(phase);
}
