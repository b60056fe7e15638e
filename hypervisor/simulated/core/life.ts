import { unreachable } from '../../../base/assert.ts';
import { type Milliseconds, milliseconds } from '../../../base/units.ts';
import { strikeGuest } from './faults.ts';
import { type Act, type Cue, deviceLines, shutdownCues, typed } from './guest.ts';
import type { Host, Output, SimulatedDomain } from './state.ts';

/** How a simulated domain's guest runs, prints and stops: the scheduler of the pretend guests. */

/** Lets the guest's script run on from where it stood. */
export function resumeGuest(host: Host, domain: SimulatedDomain, now: Milliseconds): void {
  const { guest } = domain;
  if (guest.remaining === null) return;
  const at = milliseconds(now + guest.remaining);
  guest.remaining = null;
  if (guest.script.length > 0) host.timers.push({ at, id: domain.id, event: { kind: 'guest' } });
}

/** Holds the guest's script where it stands. */
export function holdGuest(host: Host, domain: SimulatedDomain, now: Milliseconds): void {
  const timer = host.timers.find(({ id, event }) => id === domain.id && event.kind === 'guest');
  domain.guest.remaining = milliseconds(timer === undefined ? 0 : Math.max(0, timer.at - now));
  host.timers = host.timers.filter((other) => other !== timer);
}

/** The next cue of a running guest is due. */
export function performCue(host: Host, domain: SimulatedDomain, now: Milliseconds): Output[] {
  const cue = domain.guest.script.shift();
  if (cue === undefined) return [];
  const outputs = perform(host, domain, cue.act, now);
  const next = domain.guest.script[0];
  if (next !== undefined && domain.state.kind === 'running') schedule(host, domain, next, now);
  return outputs;
}

/** The guest was asked to stop: it will, once it has booted, unless a fault says otherwise. */
export function askToStop(
  host: Host,
  domain: SimulatedDomain,
  reason: 'poweroff' | 'reboot',
  now: Milliseconds,
): void {
  if (strikeGuest(host.faults, domain.config.uuid, 'guest-ignores-shutdown')) return;
  enqueue(host, domain, shutdownCues(reason, host.config.latency.shutdown), now);
}

/** Text was typed on the domain's console. Nobody reads it before the guest's prompt. */
export function type(
  host: Host,
  domain: SimulatedDomain,
  text: string,
  now: Milliseconds,
): Output[] {
  if (domain.state.kind !== 'running' || !domain.guest.listening) return [];
  const { echo, lines } = typed(domain.guest, text);
  const outputs = print(host, domain, echo);
  for (const line of lines) outputs.push(...obey(host, domain, line.trim(), now));
  return outputs;
}

function obey(host: Host, domain: SimulatedDomain, line: string, now: Milliseconds): Output[] {
  if (line === 'poweroff' || line === 'reboot') {
    enqueue(host, domain, shutdownCues(line, host.config.latency.shutdown), now);
    return [];
  }
  if (line === 'crash') return perform(host, domain, { kind: 'stop', reason: 'crash' }, now);
  if (line === 'drain') {
    domain.drained = true;
    return print(host, domain, `drained\r\n${domain.config.name} login: `);
  }
  const tried = /^try (xvd[a-p])$/.exec(line)?.[1];
  if (tried !== undefined) return tryDisk(host, domain, tried);
  const answer = line === '' ? '' : `you typed: ${line}\r\n`;
  return print(host, domain, `${answer}${domain.config.name} login: `);
}

/** A guest whose disk nobody serves waits for it: it says nothing, as blkfront does. */
function tryDisk(host: Host, domain: SimulatedDomain, vdev: string): Output[] {
  if (!domain.disks.has(vdev)) return [];
  const prompt = `${domain.config.name} login: `;
  return print(host, domain, `disk ${vdev}: wrote and read back\r\n${prompt}`);
}

function enqueue(host: Host, domain: SimulatedDomain, cues: Cue[], now: Milliseconds): void {
  const idle = domain.guest.script.length === 0;
  domain.guest.script.push(...cues);
  const first = cues[0];
  if (!idle || first === undefined) return;
  if (domain.state.kind === 'running') schedule(host, domain, first, now);
  else domain.guest.remaining = first.delay;
}

function schedule(host: Host, domain: SimulatedDomain, cue: Cue, now: Milliseconds): void {
  const at = milliseconds(now + cue.delay);
  host.timers.push({ at, id: domain.id, event: { kind: 'guest' } });
}

function perform(host: Host, domain: SimulatedDomain, act: Act, now: Milliseconds): Output[] {
  switch (act.kind) {
    case 'print':
      return print(host, domain, `${stamp(now)}${act.text}\r\n`);
    case 'probe-devices': {
      const lines = deviceLines(domain.config, domain.disks, domain.nics).map(
        (line) => `${stamp(now)}${line}\r\n`,
      );
      return lines.length === 0 ? [] : print(host, domain, lines.join(''));
    }
    case 'prompt':
      domain.guest.listening = true;
      return print(host, domain, `${domain.config.name} login: `);
    case 'stop':
      domain.state = { kind: 'shutdown', reason: act.reason };
      domain.guest.script = [];
      domain.guest.listening = false;
      host.timers = host.timers.filter(
        ({ id, event }) => id !== domain.id || event.kind !== 'guest',
      );
      return [{ kind: 'changed', id: domain.id }];
  }
  return unreachable(act);
}

function print(host: Host, domain: SimulatedDomain, text: string): Output[] {
  const { id } = domain;
  if (text === '') return [];
  const broken = strikeGuest(host.faults, domain.config.uuid, 'console-breaks');
  return [broken ? { kind: 'console-ended', id } : { kind: 'printed', id, text }];
}

/** A kernel's time stamp, `[    1.234567] `, of the host's clock. */
function stamp(now: Milliseconds): string {
  return `[${(now / 1000).toFixed(6).padStart(12)}] `;
}
