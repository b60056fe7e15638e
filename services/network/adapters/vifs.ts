import { fail, ok, type Result } from '../../../base/result.ts';
import { turns } from '../../../base/turns.ts';
import { milliseconds } from '../../../base/units.ts';
import type { Clock } from '../../../pool/clock.ts';
import type { Failure } from '../../../pool/failure.ts';
import { notFound } from '../../../pool/named-collection.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { Epoch, NetworkId, VmId } from '../../../pool/records/identifiers.ts';
import { serviceCallDeadline } from '../../../pool/rpc/deadline.ts';
import { decidePlug, decideUnplug } from '../core/plugs.ts';
import type { Bridge, BridgeDriver } from './bridge/bridge-driver.ts';
import type { PlugJournal, PlugRecord } from './plug-journal.ts';

/** Calls that may wait for their turn: every interface of a host that starts all its VMs at once. */
const waitingBound = 8000;

/** What is asked to be plugged: the bridge follows from the network. */
export type PlugRequest = Omit<PlugRecord, 'bridge'>;

/** The virtual interfaces of this host. */
export interface Vifs {
  prepare(network: NetworkId): Promise<Result<string, Failure>>;
  plug(request: PlugRequest): Promise<Result<PlugRecord, Failure>>;
  unplug(vm: VmId, epoch: Epoch, index: number): Promise<Result<void, Failure>>;
  /** What is written down and on its bridge. */
  list(): Promise<Result<readonly PlugRecord[], Failure>>;
}

/** What of its caller's deadline a plug keeps for its turn, and for the programs that join the interface. */
const joinShare = milliseconds(10_000);

/**
 * How long after its call began a plug waits for its interface at most. netback makes it when it sees the device in
 * xenstore: soon, not at once. What the database took before, which gives up after 8 s, is in here.
 */
const appearsWithin = milliseconds(serviceCallDeadline - joinShare);

/** Between two looks for an interface, in milliseconds: at first, and at most. */
const firstLook = 10;
const lastLook = 250;

/** Where networks are looked up, plugs are written down, and bridges are. */
export interface VifSettings {
  readonly pool: Pool;
  readonly journal: PlugJournal;
  readonly driver: BridgeDriver;
  readonly clock: Clock;
}

/**
 * Plugs interfaces into networks. A plug is written down before the interface joins, and forgotten
 * after it has left, so that whatever is lost in between can be undone. One call works at a time:
 * what it decides is about all plugs of the host.
 */
export function vifsOf({ pool, journal, driver, clock }: VifSettings): Vifs {
  const queue = turns(waitingBound);
  const inTurn = async <Value>(
    work: () => Promise<Result<Value, Failure>>,
  ): Promise<Result<Value, Failure>> => (await queue.take('bridges', work)) ?? fail(tooManyWait);

  // The database is asked before a call takes its turn: while it does not answer, whoever needs
  // only this host goes on.
  const bridgeFor = async (id: NetworkId): Promise<Result<Bridge, Failure>> => {
    const network = await pool.networks.get(id);
    if (!network.ok) return network;
    if (network.value === null) return fail({ ...notFound('network', id), field: 'network' });
    const { bridge, mtu } = network.value.record;
    return ok({ name: bridge, mtu });
  };

  const newestClaim = async (id: VmId): Promise<Result<Epoch, Failure>> => {
    const vm = await pool.vmNics.get(id);
    if (!vm.ok) return vm;
    if (vm.value === null) return fail({ ...notFound('vm', id), field: 'vm' });
    return ok(vm.value.record.epoch);
  };

  /** A driver domain's interface is seen in that domain alone, so it is here that it is waited for. */
  const appears = async (name: string, until: number): Promise<Result<void, Failure>> => {
    for (let wait = firstLook; ; wait = Math.min(lastLook, 2 * wait)) {
      const present = await driver.present(name);
      if (!present.ok) return present;
      if (present.value) return ok(undefined);
      if (clock.now() >= until) return fail(neverMade(name));
      await clock.sleep(milliseconds(wait));
    }
  };

  const plug = async (
    request: PlugRequest,
    newest: Epoch,
    bridge: Bridge,
  ): Promise<Result<PlugRecord, Failure>> => {
    const wanted: PlugRecord = { ...request, bridge: bridge.name };
    const decision = decidePlug(journal.plugs, newest, wanted);
    if (decision.kind === 'stale') return fail(stale(request, decision.newest));
    for (const slot of decision.forget) {
      const forgotten = await journal.forget(slot);
      if (!forgotten.ok) return forgotten;
    }
    for (const name of decision.leave) {
      const left = await driver.leave(name);
      if (!left.ok) return left;
    }
    const written = await journal.write(wanted);
    if (!written.ok) return written;
    const ensured = await driver.ensure(bridge);
    if (!ensured.ok) return ensured;
    const joined = await driver.join(request.interface, bridge);
    return joined.ok ? ok(wanted) : joined;
  };

  const unplug = async (vm: VmId, epoch: Epoch, index: number): Promise<Result<void, Failure>> => {
    const plugged = decideUnplug(journal.plugs, { vm, epoch, index });
    if (plugged === null) return ok(undefined);
    const left = await driver.leave(plugged.interface);
    return left.ok ? journal.forget(plugged) : left;
  };

  return {
    prepare: async (network) => {
      const bridge = await bridgeFor(network);
      if (!bridge.ok) return bridge;
      const ensured = await inTurn(() => driver.ensure(bridge.value));
      return ensured.ok ? ok(bridge.value.name) : ensured;
    },
    plug: async (request) => {
      const until = clock.now() + appearsWithin;
      // At once: where the database is slow, each read may take all the time that it has.
      const [newest, bridge] = await Promise.all([
        newestClaim(request.vm),
        bridgeFor(request.network),
      ]);
      if (!newest.ok) return newest;
      if (!bridge.ok) return bridge;
      const wanted = { ...request, bridge: bridge.value.name };
      const early = decidePlug(journal.plugs, newest.value, wanted);
      if (early.kind === 'stale') return fail(stale(request, early.newest));
      // Before it takes its turn: others need not wait for this one's backend.
      const there = await appears(request.interface, until);
      if (!there.ok) return there;
      return inTurn(() => plug(request, newest.value, bridge.value));
    },
    unplug: (vm, epoch, index) => inTurn(() => unplug(vm, epoch, index)),
    list: () => inTurn(() => pluggedNow({ journal, driver })),
  };
}

/**
 * Forgets plugs whose interface is on its bridge no more: their domains ended while the service did
 * not run, or the host was restarted. For the start, before anybody calls.
 */
export async function forgetVanished(
  settings: Pick<VifSettings, 'journal' | 'driver'>,
): Promise<Result<void, Failure>> {
  const now = await pluggedNow(settings);
  if (!now.ok) return now;
  for (const plug of settings.journal.plugs) {
    if (now.value.includes(plug)) continue;
    const forgotten = await settings.journal.forget(plug);
    if (!forgotten.ok) return forgotten;
  }
  return ok(undefined);
}

async function pluggedNow({
  journal,
  driver,
}: Pick<VifSettings, 'journal' | 'driver'>): Promise<Result<readonly PlugRecord[], Failure>> {
  // A program is run to learn it.
  if (journal.plugs.length === 0) return ok([]);
  const joined = await driver.joined();
  if (!joined.ok) return joined;
  const bridges = new Map(joined.value.map((item) => [item.interface, item.bridge]));
  return ok(journal.plugs.filter((plug) => bridges.get(plug.interface) === plug.bridge));
}

function stale({ vm, epoch }: PlugRequest, newest: number): Failure {
  return {
    reason: 'STALE_EPOCH',
    message: `the claim ${epoch} of the VM ${vm} is over: its newest is ${newest}`,
    remedy: 'Stop what this claim runs; the newer one has the interfaces.',
    resource: { type: 'vm', name: vm },
    field: 'epoch',
  };
}

function neverMade(name: string): Failure {
  return {
    reason: 'NETWORK',
    message: `the backend made no interface ${name} within ${appearsWithin / 1000} s of the call`,
    remedy: 'See that netback is loaded where network runs, and that the domain is still there.',
  };
}

const tooManyWait: Failure = {
  reason: 'LIMIT',
  message: `${waitingBound} calls wait for the bridges of this host already`,
  remedy: 'Wait for the calls before, then try again.',
};
