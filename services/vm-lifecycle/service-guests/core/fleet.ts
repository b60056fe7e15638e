import { present } from '../../../../base/assert.ts';
import { type Milliseconds, milliseconds } from '../../../../base/units.ts';
import { type Guest, type Input, newGuest, type Output, type Patience } from './guest.ts';
import { nextDeadline, step } from './step.ts';

/** The service guests of a host, in the order in which they are started. */
export type Fleet = ReadonlyMap<string, Guest>;

/** What the supervisor is to do for one guest. */
export interface FleetOutput {
  readonly service: string;
  readonly output: Output;
}

/** Guests of which nothing is known yet. */
export function newFleet(
  guests: readonly {
    readonly service: string;
    readonly patience: Patience;
    readonly canBeAsked: boolean;
  }[],
  now: Milliseconds,
): Fleet {
  return new Map(
    guests.map(({ service, patience, canBeAsked }) => [
      service,
      newGuest(patience, canBeAsked, now),
    ]),
  );
}

/**
 * One step of one guest, and of those that it lets go on. A guest is first started when each before it
 * serves, was refused, failed, or had its time: order saves the later ones futile tries, but a broken
 * guest does not keep the others from running. What runs already is adopted in any order.
 */
export function stepFleet(
  fleet: Fleet,
  now: Milliseconds,
  service: string,
  input: Input,
): FleetOutput[] {
  const guest = present(fleet.get(service), `a guest of the service ${service}`);
  const outputs = named(service, step(guest, now, input));
  for (const [other, waiting] of fleet) {
    if (waiting.held) outputs.push(...named(other, step(waiting, now, { kind: 'released' })));
    if (!waiting.settled) break;
  }
  return outputs;
}

/** The services whose guests want a `tick` by `now`. */
export function dueServices(fleet: Fleet, now: Milliseconds): readonly string[] {
  return [...fleet].flatMap(([service, guest]) => {
    const deadline = nextDeadline(guest);
    return deadline !== null && deadline <= now ? [service] : [];
  });
}

/** The moment at which the next guest wants a `tick`; null where all wait for the supervisor. */
export function fleetDeadline(fleet: Fleet): Milliseconds | null {
  const moments = [...fleet.values()].map(nextDeadline).filter((moment) => moment !== null);
  return moments.length === 0 ? null : milliseconds(Math.min(...moments));
}

function named(service: string, outputs: readonly Output[]): FleetOutput[] {
  return outputs.map((output) => ({ service, output }));
}
