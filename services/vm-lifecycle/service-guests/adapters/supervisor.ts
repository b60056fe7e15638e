import type { Logger } from 'pino';
import { present } from '../../../../base/assert.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../../../base/units.ts';
import type { DomainId } from '../../../../hypervisor/port.ts';
import type { Supervised } from '../../../../pool/supervision/messages.ts';
import type { RestartFailure } from '../../../../pool/supervision/serve.ts';
import type { GuestConfiguration } from '../configuration.ts';
import { dueServices, fleetDeadline, newFleet, stepFleet } from '../core/fleet.ts';
import type { Input, Note, Output } from '../core/guest.ts';
import { guestUuid } from './identity.ts';
import { noteText, stateOf } from './notes.ts';
import { probePorts } from './probe.ts';
import { directoryOf, type StartEnvironment, startGuest } from './start.ts';
import { readStarted, type Started } from './started.ts';

/** What the supervisor works with. */
export interface SupervisorEnvironment extends StartEnvironment {
  readonly guests: readonly GuestConfiguration[];
  readonly log: Logger;
  /** A moment on a clock that never goes back. */
  now(): Milliseconds;
}

/** A supervisor at work. */
export interface Supervisor {
  /** Looks for what runs already, adopts it, and starts the rest. To be called once. */
  begin(): void;
  status(): readonly Supervised[];
  /** See `SupervisorHandlers.restart`. */
  restart(
    service: string,
    onProgress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<Result<{ readonly away: number; readonly id: number | null }, RestartFailure>>;
  /** Lets go of the guests: they run on, and the next supervisor adopts them. */
  close(): void;
}

/** Hears what an operator is told of one guest. */
type NoteListener = (note: Note) => void;

/** A supervisor of the guests of one host; it does nothing until it is told to begin. */
export function guestSupervisor(environment: SupervisorEnvironment): Supervisor {
  const { hypervisor, log, now } = environment;
  const setups = new Map(environment.guests.map((guest) => [guest.service as string, guest]));
  const fleet = newFleet(
    environment.guests.map(({ service, patience, address }) => ({
      service,
      patience,
      canBeAsked: address !== undefined,
    })),
    now(),
  );
  const lastNotes = new Map<string, string>();
  const listeners = new Map<string, Set<NoteListener>>();
  const starts = new Map<string, number>();
  const running = new Map<string, Started | null>();
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  const setupOf = (service: string): GuestConfiguration =>
    present(setups.get(service), `the configuration of ${service}`);

  const feed = (service: string, input: Input): void => {
    if (closed) return;
    for (const { service: of, output } of stepFleet(fleet, now(), service, input)) obey(of, output);
    arm();
  };

  const arm = (): void => {
    if (timer !== null) clearTimeout(timer);
    const deadline = fleetDeadline(fleet);
    timer = deadline === null ? null : setTimeout(tick, Math.max(0, deadline - now()));
  };

  const tick = (): void => {
    for (const service of dueServices(fleet, now())) feed(service, { kind: 'tick' });
    if (!closed) arm();
  };

  const obey = (service: string, output: Output): void => {
    switch (output.kind) {
      case 'look':
        void look(service, output.look);
        return;
      case 'start':
        void start(service);
        return;
      case 'ask-to-stop':
        void askToStop(service, output.domain);
        return;
      case 'destroy':
        void destroy(service, output.domain);
        return;
      case 'probe':
        void probe(service, output.life);
        return;
      case 'note':
        tell(service, output.note);
    }
  };

  const tell = (service: string, note: Note): void => {
    const text = noteText(note);
    if (note.kind === 'started') starts.set(service, (starts.get(service) ?? 0) + 1);
    const isNews = lastNotes.get(service) !== text;
    lastNotes.set(service, text);
    if (isNews) log[isTrouble(note) ? 'warn' : 'info']({ guest: service, note }, text);
    for (const listener of listeners.get(service) ?? []) listener(note);
  };

  const look = async (service: string, number: number): Promise<void> => {
    const domains = await hypervisor.listDomains();
    if (!domains.ok)
      return feed(service, { kind: 'look-failed', look: number, why: domains.error.detail });
    const uuid = guestUuid(environment.hostId, service);
    const found = domains.value.find((domain) => domain.uuid === uuid) ?? null;
    feed(service, { kind: 'seen', look: number, found });
  };

  const start = async (service: string): Promise<void> => {
    running.delete(service);
    const started = await startGuest(environment, setupOf(service));
    if (started.ok) return feed(service, { kind: 'started', domain: started.value });
    const { kind, why } = started.error;
    feed(service, { kind: kind === 'refused' ? 'start-refused' : 'start-failed', why });
  };

  /** A guest that cannot be asked is destroyed when its time to stop is over. */
  const askToStop = async (service: string, domain: DomainId): Promise<void> => {
    const asked = await hypervisor.requestShutdown(domain, 'poweroff');
    if (!asked.ok) log.warn({ guest: service, error: asked.error }, 'it cannot be asked to stop');
  };

  const destroy = async (service: string, domain: DomainId): Promise<void> => {
    const destroyed = await hypervisor.destroyDomain(domain);
    if (destroyed.ok || destroyed.error.code === 'domain-not-found')
      return feed(service, { kind: 'destroyed' });
    feed(service, { kind: 'destroy-failed', why: destroyed.error.detail });
  };

  /** Where what was started is not known any more, it cannot be asked: it counts as serving. */
  const probe = async (service: string, life: number): Promise<void> => {
    const { address } = setupOf(service);
    const ports = (await startedOf(service))?.ports ?? [];
    const found = await probePorts(address?.split('/')[0] ?? '', ports);
    feed(service, { kind: 'probed', life, probe: found });
  };

  const startedOf = async (service: string): Promise<Started | null> => {
    const known = running.get(service);
    if (known !== undefined) return known;
    const read = await readStarted(directoryOf(environment.dataDir, service));
    if (!read.ok) log.warn({ guest: service, why: read.error }, 'what was started is not known');
    const started = read.ok ? read.value : null;
    running.set(service, started);
    return started;
  };

  let unwatch = (): void => undefined;

  return {
    begin: () => {
      unwatch = hypervisor.watch((domain) => {
        for (const service of fleet.keys()) feed(service, { kind: 'changed', domain });
      });
      tick();
    },
    status: () =>
      [...fleet].map(([service, { phase }]) => {
        const state = stateOf(phase);
        const detail = state === 'serving' ? '' : (lastNotes.get(service) ?? '');
        const id = 'domain' in phase ? phase.domain : null;
        const times = starts.get(service) ?? 0;
        return { service, kind: 'guest' as const, state, id, starts: times, detail };
      }),
    restart: (service, onProgress, signal) => {
      if (!fleet.has(service)) {
        const known = [...fleet.keys()].join(', ');
        const message = `no guest of this host is ${service}`;
        return Promise.resolve(fail({ message, remedy: `Its guests are ${known}.` }));
      }
      const asked = now();
      return new Promise((resolve) => {
        const end: typeof resolve = (outcome) => {
          listeners.get(service)?.delete(hear);
          resolve(outcome);
        };
        const hear: NoteListener = (note) => {
          onProgress(`${service} ${noteText(note)}`);
          if (note.kind === 'serving')
            end(ok({ away: milliseconds(now() - asked), id: note.domain }));
          else if (note.kind === 'refused')
            end(
              fail({
                message: `${service} is not started: ${note.why}`,
                remedy: 'Put the image right; it is looked at again from time to time.',
              }),
            );
        };
        const own = listeners.get(service) ?? new Set();
        listeners.set(service, own.add(hear));
        signal.addEventListener('abort', () =>
          end(fail({ message: 'nobody waits for it any more', remedy: '' })),
        );
        feed(service, { kind: 'restart' });
      });
    },
    close: () => {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      unwatch();
    },
  };
}

function isTrouble({ kind }: Note): boolean {
  return (
    kind === 'starved' ||
    kind === 'fell' ||
    kind === 'refused' ||
    kind === 'trouble' ||
    kind === 'unserved'
  );
}
