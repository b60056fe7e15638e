import { formatBytes, type Milliseconds, milliseconds } from '../../../base/units.ts';
import type { DomainConfig, ShutdownReason } from '../../port.ts';

/**
 * The pretend guest: it prints what a kernel prints, finds the devices that were connected,
 * answers what is typed, and stops when it is asked. It is a script of acts with delays; a pause
 * stops the script's clock.
 */

/** One act of the guest. */
export type Act =
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'probe-devices' }
  | { readonly kind: 'prompt' }
  | { readonly kind: 'stop'; readonly reason: ShutdownReason };

/** An act, and how long after the act before it. */
export interface Cue {
  readonly delay: Milliseconds;
  readonly act: Act;
}

/** The guest's inner life. */
export interface Guest {
  script: Cue[];
  /** How much of the next cue's delay is left, while the domain is paused. */
  remaining: Milliseconds | null;
  /** True once the guest has printed its prompt and reads what is typed. */
  listening: boolean;
  /** What was typed since the last end of line. */
  line: string;
}

/** Longest line that the guest keeps of what is typed; the rest is dropped, as a tty does. */
export const typedLineMax = 4095;

/** A guest that has not run yet. `crashes`: it panics in the middle of its boot. */
export function newGuest(config: DomainConfig, boot: Milliseconds, crashes: boolean): Guest {
  const acts = bootActs(config, crashes);
  const delay = milliseconds(boot / acts.length);
  return {
    script: acts.map((act) => ({ delay, act })),
    remaining: delay,
    listening: false,
    line: '',
  };
}

function bootActs(config: DomainConfig, crashes: boolean): Act[] {
  const print = (text: string): Act => ({ kind: 'print', text });
  const start = [
    print('Linux version 6.1.0-simulated (simulated guest) #1 SMP'),
    print(`Command line: ${config.commandLine}`),
    print(`Booting paravirtualized kernel on Xen ${config.type === 'pvh' ? 'PVH' : 'PV'}`),
    print(`Memory: ${formatBytes(config.memory)} available`),
    print(`smp: Brought up 1 node, ${config.vcpus} CPU${config.vcpus === 1 ? '' : 's'}`),
  ];
  if (crashes)
    return [
      ...start,
      print('Kernel panic - not syncing: simulated crash'),
      { kind: 'stop', reason: 'crash' },
    ];
  return [
    ...start,
    { kind: 'probe-devices' },
    print('Run /init as init process'),
    { kind: 'prompt' },
  ];
}

/** What the guest does once it has seen a request to stop. */
export function shutdownCues(reason: 'poweroff' | 'reboot', latency: Milliseconds): Cue[] {
  const half = milliseconds(latency / 2);
  const text = reason === 'poweroff' ? 'reboot: Power down' : 'reboot: Restarting system';
  return [
    { delay: half, act: { kind: 'print', text } },
    { delay: half, act: { kind: 'stop', reason } },
  ];
}

/** The lines with which the guest greets those of its devices that were connected. */
export function deviceLines(
  config: DomainConfig,
  disks: ReadonlyMap<string, unknown>,
  nics: ReadonlySet<number>,
): string[] {
  return [
    ...config.disks
      .filter(({ vdev }) => disks.has(vdev))
      .map(({ vdev }) => `blkfront: ${vdev}: flush diskcache: enabled`),
    ...config.nics
      .filter(({ index }) => nics.has(index))
      .map(({ index, mac }) => `xen_netfront: eth${index}: ${mac}`),
  ];
}

/** What typed text does: the characters echoed, and the lines that it completed. */
export function typed(guest: Guest, text: string): { echo: string; lines: string[] } {
  const lines: string[] = [];
  let echo = '';
  for (const character of text) {
    if (character === '\r' || character === '\n') {
      echo += '\r\n';
      lines.push(guest.line);
      guest.line = '';
    } else if (guest.line.length < typedLineMax) {
      echo += character;
      guest.line += character;
    }
  }
  return { echo, lines };
}
