import { messageTypes } from '../../../services/xenstore/core/wire.ts';
import type { PeerName } from '../../peers/peer.ts';
import { explain } from './differences.ts';
import { type Done, endedBy, type Found, goneBefore, outcomeOf } from './found.ts';
import type { History } from './generate.ts';
import { takeInventory, withoutStale } from './inventory.ts';
import { Ours } from './ours.ts';
import { givesAway, ownerOfMade } from './ownership.ts';
import { entryOfGone } from './rules.ts';
import type { Observation, Reply, Step, Told } from './step.ts';
import type { Subject } from './subject.ts';
import { Theirs } from './theirs.ts';

/** Where a daemon does something else, and this project's documents do not say so. */
export interface Difference {
  readonly at: number;
  readonly step: Step;
  readonly ours: Observation;
  readonly theirs: Observation;
}

/** What comes of a history that is told to ours and to a peer. */
export interface Comparison {
  readonly difference: Difference | null;
  /** What was met of the differences that are documented, by their names. */
  readonly met: readonly string[];
  /** How many steps were compared: after some differences the stores are no longer the same. */
  readonly compared: number;
}

/** Tells a history to both, step by step, until they differ in what is not documented. */
export async function compare(name: PeerName, { quotas, steps }: History): Promise<Comparison> {
  const ours = new Ours(quotas);
  const theirs = await Theirs.start(name, quotas);
  const met = new Set<string>();
  try {
    const before: Done[] = [];
    for (const [at, step] of steps.entries()) {
      // Whoever has gone leaves the stores different where nobody has asked yet.
      const looks = endedBy(step) !== null || at === steps.length - 1;
      const here = await observe(step, ours, looks);
      const seen = await observe(step, theirs, looks);
      const done: Done = { step, us: outcomeOf(here) };
      const there =
        name === 'xenstored' ? withoutEntriesOfGone(seen, here, [...before, done]) : seen;
      if (there !== seen) met.add(entryOfGone);
      const observed = { ours: here, theirs: there };
      const faults = ours.faults();
      if (faults.length > 0) throw new Error(`our store is wrong inside: ${faults.join('; ')}`);
      if (name === 'oxenstored' && (await givesAway(done, before, ours, theirs)))
        return { difference: null, met: [...met, ownerOfMade], compared: at };
      const found: Found = { peer: name, step, before: [...before], ...observed };
      before.push(done);
      if (isSame(observed.ours, observed.theirs)) continue;
      const explained = explain(found);
      if (explained === null)
        return { difference: { at, step, ...observed }, met: [...met], compared: at };
      met.add(explained.name);
      if (explained.parts) return { difference: null, met: [...met], compared: at };
    }
    return { difference: null, met: [...met], compared: steps.length };
  } finally {
    await theirs.close();
  }
}

/** Without what is a documented difference of C, and is nothing that its store does differently. */
function withoutEntriesOfGone(
  seen: Observation,
  here: Observation,
  before: readonly Done[],
): Observation {
  if (seen.there === null || here.there === null) return seen;
  const nodes = withoutStale(seen.there.nodes, here.there.nodes, goneBefore(before));
  return isSame(nodes, seen.there.nodes) ? seen : { ...seen, there: { ...seen.there, nodes } };
}

async function observe(step: Step, subject: Subject, looks: boolean): Promise<Observation> {
  const told = normal(step, await subject.perform(step));
  return { ...told, there: looks ? await takeInventory(subject, told) : null };
}

/** Without what each daemon chooses for itself: transaction ids, generations, what is for people. */
function normal(step: Step, { reply, events }: Told): Told {
  if (reply.kind !== 'reply' || reply.type === messageTypes.ERROR) return { reply, events };
  return { reply: { ...reply, payload: normalPayload(step, reply) }, events };
}

function normalPayload(step: Step, { type, payload }: Extract<Reply, { kind: 'reply' }>): string {
  switch (type) {
    case messageTypes.TRANSACTION_START:
      return /^\d+\0$/.test(payload) ? 'id' : payload;
    case messageTypes.DIRECTORY_PART:
      return payload.replace(/^\d+/, 'generation');
    case messageTypes.CONTROL:
      return 'text';
    case messageTypes.DIRECTORY:
      // The special events are children of the root in oxenstored of 4.17.
      return step.kind === 'request' && step.payload === '/\0'
        ? payload.replace(/@introduceDomain\0|@releaseDomain\0/g, '')
        : payload;
    default:
      return payload;
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
